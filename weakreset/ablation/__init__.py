"""Which imperfection costs how much accuracy: the same chips trained with one switched off at a time."""

from weakreset.ablation.conditions import Condition, all_conditions, nominal_conditions
from weakreset.ablation.result import COLUMNS, Ablation, Effect, Row
from weakreset.ablation.study import PartDone, ablate, ablate_part
from weakreset.ablation.study_settings import StudySettings
from weakreset.ablation.target import TargetAnswer, run_target

run_study = ablate  # its name in 0.1

__all__ = [
    "COLUMNS",
    "Ablation",
    "Condition",
    "Effect",
    "PartDone",
    "Row",
    "StudySettings",
    "TargetAnswer",
    "ablate",
    "ablate_part",
    "all_conditions",
    "nominal_conditions",
    "run_study",
    "run_target",
]
