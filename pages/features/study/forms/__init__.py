"""The dials of each question: a module a question, each with `fields`, which draws them and gives what they
say as JSON values, to be put into a study."""
