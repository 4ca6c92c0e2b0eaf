"""The direction of a metric, taken from its name where that leaves no doubt."""

import re

from ledger.model.values import Direction, parse_slice


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOWER = _word_set(
    "loss losses error err errors perplexity ppl rmse mse mae mape smape rmsle wer cer ter per latency "
    "nll logloss bce fid kid ece brier regret hamming bpc bpb eer rer crps"
)
_HIGHER = _word_set(
    "accuracy acc f1 f2 auc auroc auprc roc precision recall bleu sacrebleu chrf rouge meteor iou miou "
    "jaccard map map50 r2 dice psnr ssim mcc kappa ndcg mrr reward specificity sensitivity hits "
    "throughput spearman pearson comet"
)
_DOUBTFUL = _word_set(
    "scale weight weights threshold bits std stdev stderr var variance drop gap delta diff difference "
    "change ratio count neg negative steps epoch lr temperature coefficient coef lambda alpha beta gamma "
    "time patience min max loss2 noise function fn type curve second seconds samples"
)
"""Words that reverse the meaning or change the quantity: `neg_mse`, `accuracy_drop`, `loss_scale`."""
_SEPARATORS = re.compile(r"[_/ \-.@()\[\]{},:]+")


def known_direction(name: str) -> Direction | None:
    """Return which values of the metric are better; none where the name does not tell for certain."""
    words = set(_SEPARATORS.split(parse_slice(name)[0].lower()))
    if words & _DOUBTFUL:
        return None
    lower, higher = bool(words & _LOWER), bool(words & _HIGHER)
    if lower == higher:
        return None
    return "lower" if lower else "higher"
