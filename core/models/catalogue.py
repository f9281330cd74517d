"""The architectures: what each is, what may be set on it, and where the module is that implements it."""

from __future__ import annotations

from core.catalogue import Choice, Flag, Integers, Number
from core.models import sizes
from core.models.entry import ModelEntry

_CNN = ModelEntry(
    name="cnn",
    title="Convolutional network",
    help=(
        "Small 3×3 filters slide over the image, and each fires wherever its pattern appears: edges in "
        "the first layer, parts of shapes in the next. Pooling halves the picture after each layer, so "
        "later filters see more of it and care less about where exactly something stands. Two dense "
        "layers then weigh what was found. Sharing filters across the image makes it the strongest of "
        "these on few images; most of its weights sit in the first dense layer, which is where a "
        "regulariser finds most to remove."
    ),
    source="LeCun et al. 1998, Gradient-based learning applied to document recognition",
    parameters=(
        Integers(
            "channels",
            (32, 64, 128),
            4,
            512,
            "How many filters each convolution has; the number of entries is the depth.",
            unit="filters",
            max_length=5,
        ),
        Number(
            "hidden",
            512,
            16,
            4096,
            "Units of the dense layer before the classifier.",
            unit="units",
            integer=True,
            scale="log",
        ),
        Number(
            "dropout",
            0.5,
            0,
            0.9,
            "Share of the dense layer's units silenced at random in each training step.",
            step=0.05,
        ),
        Number(
            "channel_dropout",
            0.0,
            0,
            0.9,
            "Share of each convolution's filters silenced in each training step, whole maps at a time.",
            step=0.05,
        ),
        Flag(
            "batch_norm",
            False,
            "Normalise after each convolution: it allows larger learning rates, and makes what an image "
            "gives in training depend a little on the others of its batch.",
        ),
    ),
    makes="core.models.cnn:CNN",
    count_parameters=sizes.cnn_parameters,
    count_activations=sizes.cnn_activations,
    size="channels",
    removable=("filters", "neurons"),
)

_MLP = ModelEntry(
    name="mlp",
    title="Dense network (LeNet-300-100)",
    help=(
        "Every pixel is wired to every unit of the first layer, every unit to every one of the next, and "
        "the last layer to the classes. It knows nothing about images: shuffle the pixels of all of them "
        "in the same way and it learns just as well. That makes most of its weights superfluous (those "
        "from the corners of a digit's image never see any ink), and so papers on pruning and sparsity "
        "start with it; with the widths 300 and 100 it is LeNet-300-100, 267 thousand parameters."
    ),
    source="LeCun et al. 1998, Gradient-based learning applied to document recognition",
    parameters=(
        Integers(
            "hidden",
            (300, 100),
            4,
            4096,
            "Units of each layer before the classifier; the number of entries is the depth. None: the "
            "classifier alone, which is multinomial logistic regression.",
            unit="units",
            min_length=0,
            max_length=5,
        ),
        Number(
            "dropout",
            0.0,
            0,
            0.9,
            "Share of each layer's units silenced at random in each training step.",
            step=0.05,
        ),
    ),
    makes="core.models.mlp:MLP",
    count_parameters=sizes.mlp_parameters,
    count_activations=sizes.mlp_activations,
    size="hidden",
    removable=("neurons",),
)

_RNN = ModelEntry(
    name="rnn",
    title="Recurrent network",
    help=(
        "The image is read like a text, one row of pixels after another, and a state of a few numbers "
        "is carried along as memory; the class is read off the state after the last row. The same "
        "weights serve every row. Gates (LSTM, GRU) decide what is kept and what is overwritten, "
        "without which the first rows are soon forgotten. Nothing in it knows that neighbouring columns "
        "belong together, so it has to learn from examples what a convolution has built in."
    ),
    source="Hochreiter & Schmidhuber 1997, Long short-term memory",
    parameters=(
        Choice(
            "cell", "lstm", tuple(sizes.GATES), "What carries the memory: LSTM, GRU, or a plain tanh layer."
        ),
        Number(
            "hidden",
            128,
            16,
            1024,
            "Numbers in the state, in each direction.",
            unit="units",
            integer=True,
            scale="log",
        ),
        Number("layers", 1, 1, 4, "Recurrent layers on top of each other.", integer=True),
        Flag("bidirectional", False, "Read from bottom to top as well, with weights of its own."),
        Number(
            "dropout",
            0.0,
            0,
            0.9,
            "Share of the outputs dropped between layers and before the classifier.",
            step=0.05,
        ),
    ),
    makes="core.models.rnn:RNN",
    count_parameters=sizes.rnn_parameters,
    count_activations=sizes.rnn_activations,
    size="hidden",
    no_filters="The first layer of a recurrent network reads rows of pixels, so it has no filters to look "
    "at.",
)

_ATTENTION = ModelEntry(
    name="attention",
    title="Attention network",
    help=(
        "A small vision transformer. The image is cut into square patches; each becomes a token, a "
        "list of numbers, plus a learned vector that says where it stood. In every block each token "
        "looks at all others and takes in a weighted mean of what they hold; the weights, the attention "
        "maps, can be drawn over the image. It assumes least about images, not even that neighbours "
        "matter, so it needs more of them than a convolution, and gains most from augmentation."
    ),
    source="Dosovitskiy et al. 2020, An image is worth 16×16 words, arXiv 2010.11929",
    parameters=(
        Number(
            "patch",
            4,
            1,
            sizes.MAX_PATCH,
            "Side of a patch; it has to divide the images' side.",
            unit="pixels",
            integer=True,
        ),
        Number(
            "width",
            64,
            16,
            512,
            "Numbers in a token; a multiple of the heads.",
            integer=True,
            scale="log",
        ),
        Number("heads", 4, 1, 16, "Attention maps in each block.", integer=True),
        Number("depth", 2, 1, 12, "Encoder blocks.", unit="blocks", integer=True),
        Number(
            "mlp_ratio",
            2,
            1,
            8,
            "A block's dense layer is this many times as wide as a token.",
            integer=True,
        ),
        Number(
            "dropout",
            0.0,
            0,
            0.9,
            "Share of the tokens' numbers, and of each branch's outputs, dropped in a training step.",
            step=0.05,
        ),
        Number(
            "drop_path",
            0.0,
            0,
            0.9,
            "Share of images for which the last block's branches are skipped in a training step; earlier "
            "blocks are skipped less, in proportion to their depth.",
            step=0.05,
        ),
    ),
    makes="core.models.attention:Attention",
    count_parameters=sizes.attention_parameters,
    count_activations=sizes.attention_activations,
    check_fit=sizes.check_attention,
    size="width",
    # Not its neurons: those of the embedding and of each block's second dense layer write into the tokens.
    removable=("heads",),
    bypassed=True,
    blocks=True,
)

ARCHITECTURES: dict[str, ModelEntry] = {entry.name: entry for entry in (_CNN, _MLP, _RNN, _ATTENTION)}
