"""Access reviews: `selfsubjectaccessreviews` and `subjectaccessreviews`, which store nothing."""

from collections.abc import Mapping

from coldsend_operator.kube.reads import JSON, KubeReads, KubeRequest

_GROUP = "/apis/authorization.k8s.io/v1"
SELF, OTHER = f"{_GROUP}/selfsubjectaccessreviews", f"{_GROUP}/subjectaccessreviews"


class AccessReviews(KubeReads):
    """A client for access reviews, which are POSTs; it sends no other POST."""

    async def allowed(self, attributes: Mapping[str, str], user: str = "") -> bool:
        """Whether `user`, or the caller, may do this. Raises Forbidden if the caller may not check that."""
        body = {"resourceAttributes": dict(attributes), **({"user": user, "groups": _groups(user)} if user else {})}
        call = KubeRequest("POST", OTHER if user else SELF, body={"spec": body}, content_type=JSON)
        answer = await self._send(call)
        return bool((answer.get("status") or {}).get("allowed"))

    def _check(self, call: KubeRequest, *, urgent: bool) -> None:
        if call.path not in {SELF, OTHER}:
            super()._check(call, urgent=urgent)


def _groups(user: str) -> list[str]:
    """The groups of a ServiceAccount (`system:serviceaccount:<namespace>:<name>`), which may have roles too."""
    namespace = user.split(":")[2]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
