"""A figure of a layer's weights."""


def toy_measure(weights):
    return max(float(weight.abs().max()) for weight in weights)
