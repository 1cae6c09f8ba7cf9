"""What may go wrong between us and a provider. The text of each is for the log; people are told what they can do.

ProviderFailed      it did not answer, or with what makes no sense
└── ProofRefused    its answer is no proof of who somebody is: forged, old, or for somebody else
"""


class ProviderFailed(Exception):
    """The provider did not answer as the standard says."""


class ProofRefused(ProviderFailed):
    """The provider's answer proves nothing. Somebody may be trying something."""
