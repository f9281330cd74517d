"""One toy of each sort. An entry, and what its path names, is all that there is of each."""

from core.augment.catalogue import OPERATIONS
from core.augment.entry import OpEntry, nothing
from core.catalogue import Number
from core.data.catalogue import DATASETS, DataEntry
from core.jobs.kinds import KINDS, Kind
from core.measure.catalogue import MEASURES, MeasureEntry
from core.models.catalogue import ARCHITECTURES
from core.models.entry import ModelEntry
from core.models.sizes import dense_chain
from core.optimise.catalogue import OPTIMISERS
from core.optimise.entry import OptimiserEntry, ScheduleEntry
from core.optimise.schedules import SCHEDULES
from core.regularise.catalogue import REGULARISERS
from core.regularise.entry import RegulariserEntry


def toy_factor(t, after):
    return 0.5 if t >= after else 1.0


OPERATION = OpEntry(
    name="ToyOperation",
    title="Toy darkening",
    help="Makes images darker.",
    source="",
    parameters=(Number("share", 0.5, 0.1, 1.0, "Of its light that an image keeps.", step=0.1, neutral=1),),
    makes="tests.toys.operation:ToyOperation",
    group="intensity",
    describe=nothing,
    fits="Tests.",
    can_lie="The toy dataset's classes are brightnesses.",
)
NETWORK = ModelEntry(
    name="toy",
    title="Toy network",
    help="Two dense layers.",
    source="",
    parameters=(Number("units", 12, 2, 4096, "How many.", integer=True),),
    makes="tests.toys.network:ToyNetwork",
    count_parameters=lambda params, channels, side, classes: dense_chain(
        [channels * side**2, params["units"], classes]
    ),
    size="units",
    removable=("neurons",),
)
REGULARISER = RegulariserEntry(
    name="huge",
    title="Largest weight",
    help="Pulls at the largest weight.",
    source="",
    makes="tests.toys.regulariser:ToyRegulariser",
    formula=r"\mu \max |w|",
    effect="The largest becomes smaller.",
    solvers=("penalty",),
    default_strength=0.01,
    symbol="μ",
)
OPTIMISER = OptimiserEntry(
    name="toy",
    title="Toy steps",
    help="Every step is as long.",
    source="",
    makes="tests.toys.optimiser:ToyOptimiser",
    arguments=lambda params: {},
    step_size=lambda params, lr, gradient: lr / gradient,
    lr_default=1e-3,
    lr_low=1e-5,
    lr_high=1e-1,
)
SCHEDULE = ScheduleEntry(
    name="toy",
    title="Toy halving",
    help="Half the rate from some share of the run on.",
    source="",
    parameters=(Number("after", 0.5, 0.0, 1.0, "The share.", step=0.1),),
    factor=toy_factor,
)
DATASET = DataEntry(
    name="toy",
    title="Toy brightnesses",
    help="Dark, grey and bright.",
    source="",
    channels=3,
    side=8,
    num_classes=3,
    num_images=120,
    licence="Apache-2.0",
    loads="tests.toys.dataset:toy_dataset",
)
MEASURE = MeasureEntry(
    name="toy_largest",
    title="Toy maximum",
    help="The largest |w|.",
    formula=r"\max |w|",
    unit="",
    source="nobody",
    rises=False,
    computes="tests.toys.measure:toy_measure",
)
KIND = Kind(name="toy", title="Toy counting", help="Counts.", run="tests.toys.job:run")


def add(monkeypatch):
    """Put each into its catalogue."""
    for catalogue, entry in (
        (OPERATIONS, OPERATION),
        (ARCHITECTURES, NETWORK),
        (REGULARISERS, REGULARISER),
        (OPTIMISERS, OPTIMISER),
        (SCHEDULES, SCHEDULE),
        (DATASETS, DATASET),
        (MEASURES, MEASURE),
        (KINDS, KIND),
    ):
        monkeypatch.setitem(catalogue, entry.name, entry)
