"""Where images come from: bundled sets, a person's own, splits, photographs for previews."""
