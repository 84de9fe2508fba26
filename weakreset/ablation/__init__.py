"""Which imperfection costs how much accuracy: the same chips trained with one switched off at a time."""

from weakreset.ablation.conditions import Condition, all_conditions, nominal_conditions
from weakreset.ablation.result import Ablation, Effect, Row
from weakreset.ablation.study import StudySettings, run_study
from weakreset.ablation.target import TargetAnswer, run_target

__all__ = [
    "Ablation",
    "Condition",
    "Effect",
    "Row",
    "StudySettings",
    "TargetAnswer",
    "all_conditions",
    "nominal_conditions",
    "run_study",
    "run_target",
]
