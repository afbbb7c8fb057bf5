"""What rules and attacks are called elsewhere: in papers, in ByzFL, Blades, krum, and in the field's short forms."""

from __future__ import annotations

# the name elsewhere, without capitals, spaces, hyphens and underscores → what stands here for it
ELSEWHERE: dict[str, dict[str, str]] = {
    "attack": {
        "alie": "ALittleIsEnough",
        "lie": "ALittleIsEnough",
        "ipm": "InnerProductManipulation",
        "foe": "InnerProductManipulation",
        "fallofempires": "InnerProductManipulation",
        "signflipping": "BitFlipping, or InnerProductManipulation with epsilon = 1 as ByzFL has it",
        "signflip": "BitFlipping",
        "optimalinnerproductmanipulation": "SearchedStrength with direction = 'mean'",
        "optimalipm": "SearchedStrength with direction = 'mean'",
        "adaptiveipm": "SearchedStrength with direction = 'mean'",
        "adaptivefoe": "SearchedStrength with direction = 'mean'",
        "optimalalittleisenough": "SearchedStrength with direction = 'deviation'",
        "optimalalie": "SearchedStrength with direction = 'deviation'",
        "adaptivealie": "SearchedStrength with direction = 'deviation'",
        "adaptivelie": "SearchedStrength with direction = 'deviation'",
        "inf": "Infinite",
        "infinity": "Infinite",
        "noise": "Gaussian",
        "gaussiannoise": "Gaussian",
        "relocatedorthogonalperturbation": "ROP",
        "reloc": "ROP",
        "agragnostic": "MinMax or MinSum",
    },
    "rule": {
        "average": "Mean",
        "fedavg": "Mean",
        "median": "CoordinateMedian",
        "cm": "CoordinateMedian",
        "cwmed": "CoordinateMedian",
        "comed": "CoordinateMedian",
        "coordinatewisemedian": "CoordinateMedian",
        "cwtm": "TrimmedMean",
        "tm": "TrimmedMean",
        "trmean": "TrimmedMean",
        "gm": "GeometricMedian",
        "geomed": "GeometricMedian",
        "smoothedweiszfeld": "RFA",
        "cc": "CenteredClipping",
        "cclip": "CenteredClipping",
        "nnm": "NearestNeighbourMixing",
        "adaptiverobustclipping": "ARC",
    },
}


def elsewhere(kind: str, text: str) -> str:
    """The words ", which is here …" with what a name known elsewhere stands for; empty if it is not among them.

    >>> elsewhere("attack", "Optimal_ALittleIsEnough")
    ", which is here SearchedStrength with direction = 'deviation'"
    """
    plain = text.lower().replace("_", "").replace("-", "").replace(" ", "")
    found = ELSEWHERE.get(kind, {}).get(plain) or ELSEWHERE.get(kind, {}).get(plain.removesuffix("attack"))
    return f", which is here {found}" if found else ""
