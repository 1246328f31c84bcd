"""How an edit looks: whether what was asked happened, and whether nothing else did."""

from realedit.looks.verdict import GRADES, Asked, Grade, Reason, Verdict, judge

__all__ = ["GRADES", "Asked", "Grade", "Reason", "Verdict", "judge"]
