"""What can be asked. A new question is an entry here, a small module with its `Study`, and a test."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalogue import Entry, imported
from core.study.spec import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Entry):
    """A question.

    Args:
        title: as a person would ask it.
        study: the path of its `Study`, ``module:name``.
        chart: the path of what draws a result, see `core.figures.study`.
        says: the path of what says it in sentences, see `core.text.studies`.
        begins: when a first answer can be drawn.
    """

    study: str
    chart: str
    says: str
    begins: str = "with the first figures"

    def build(self) -> type[Study]:
        made: type[Study] = imported(self.study)
        return made


QUESTIONS: dict[str, Question] = {
    entry.name: entry
    for entry in (
        Question(
            name="strength",
            title="Which λ?",
            help="k-fold cross-validation: every λ on the same folds, with the same seeds. The answer is the "
            "λ with the least error, and the largest that is as good within one standard error.",
            source="Breiman et al. 1984, section 3.4.3; Hastie, Tibshirani & Friedman 2009, section 7.10",
            study="core.study.questions.strength:StrengthStudy",
            chart="core.figures.study.strength:chart",
            says="core.text.studies.strength:sentences",
            begins="when a first λ is known on all folds",
        ),
        Question(
            name="ablation",
            title="Does it help?",
            help="Every choice on and off, over several seeds. The answer is what each adds, with an "
            "interval, and which of them work better together.",
            source="Box, Hunter & Hunter 2005, chapter 5",
            study="core.study.questions.ablation:AblationStudy",
            chart="core.figures.study.ablation:chart",
            says="core.text.studies.ablation:sentences",
            begins="when two seeds of every setting are known",
        ),
        Question(
            name="search",
            title="Which of many?",
            help="Many settings begin, the best third of them goes on, and again the best third of those: "
            "the budget goes where it counts.",
            source="Jamieson & Talwalkar 2016; Li et al. 2018, JMLR 18 (Hyperband)",
            study="core.study.questions.search:SearchStudy",
            chart="core.figures.study.search:chart",
            says="core.text.studies.search:sentences",
        ),
        Question(
            name="race",
            title="Which optimiser?",
            help="Each optimiser gets the learning rate that suits it, and then the same budget and the same "
            "seeds as the others.",
            source="Choi et al. 2019, arXiv 1910.05446",
            study="core.study.questions.race:RaceStudy",
            chart="core.figures.study.race:chart",
            says="core.text.studies.race:sentences",
        ),
        Question(
            name="learning-curve",
            title="How many images?",
            help="The same run on ever more training images, over several seeds: are more worth collecting?",
            source="Cortes et al. 1993, Learning curves, NIPS 6",
            study="core.study.questions.learning_curve:LearningCurveStudy",
            chart="core.figures.study.learning_curve:chart",
            says="core.text.studies.learning_curve:sentences",
        ),
        Question(
            name="seeds",
            title="How many seeds?",
            help="The same run with other seeds: how far apart are runs that differ by chance alone, and by "
            "which chance?",
            source="Bouthillier et al. 2021, arXiv 2103.03098",
            study="core.study.questions.seeds:SeedsStudy",
            chart="core.figures.study.seeds:chart",
            says="core.text.studies.seeds:sentences",
        ),
        Question(
            name="recipe",
            title="What does each step cost?",
            help="A network is trained and then made smaller step by step: pruned, shrunk, trained on, given "
            "few bits. Each step's loss is shown beside what it saves.",
            source="Han, Mao & Dally 2016, arXiv 1510.00149",
            study="core.study.questions.recipe:RecipeStudy",
            chart="core.figures.study.recipe:chart",
            says="core.text.studies.recipe:sentences",
            begins="when the first step is done",
        ),
        Question(
            name="distillation",
            title="Does a teacher help?",
            help="The same student is taught by a trained network, by the labels alone, and by smoothed "
            "labels, over several seeds. The answer is what the teacher adds, with an interval.",
            source="Hinton, Vinyals & Dean 2015, arXiv 1503.02531; Müller, Kornblith & Hinton 2019, arXiv "
            "1906.02629",
            study="core.study.questions.distillation:DistillationStudy",
            chart="core.figures.study.ablation:chart",
            says="core.text.studies.distillation:sentences",
            begins="when two seeds of teacher and students are known",
        ),
    )
}
