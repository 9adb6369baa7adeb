"""Names that users, charts and dashboards rely on; none is ever renamed."""

from typing import Final

GROUP = "coldsend.pro"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ACCOUNT_KIND: Final = "SenderAccount"
ACCOUNT_PLURAL = "senderaccounts"
ACCOUNT_SINGULAR = "senderaccount"
ACCOUNT_SHORT_NAME = "sender"

BATCH_KIND: Final = "SenderAccountBatch"
BATCH_PLURAL = "senderaccountbatches"
BATCH_SINGULAR = "senderaccountbatch"
BATCH_SHORT_NAME = "senderbatch"

CATEGORY = "coldsend"
INSTALL_CRDS = "coldsend-operator crds | kubectl apply --server-side -f -"  # of this version

FINALIZER = "coldsend.pro/finalizer"
BATCH_LABEL = "coldsend.pro/batch"
DOMAIN_LABEL = "coldsend.pro/domain"

PAUSED_ANNOTATION = "coldsend.pro/paused"
RECONCILE_ANNOTATION = "coldsend.pro/reconcile"
APPROVE_DELETION_ANNOTATION = "coldsend.pro/approve-deletion"
APPROVE_RECREATION_ANNOTATION = "coldsend.pro/approve-recreation"
FORCE_ORPHAN_ANNOTATION = "coldsend.pro/force-orphan"
CREDENTIALS_CURRENT_ANNOTATION = "coldsend.pro/credentials-current"
HAND_OVER_ANNOTATION = "coldsend.pro/hand-over-to"
# On a Namespace: defaults for its objects.
DELETION_POLICY_ANNOTATION = "coldsend.pro/deletion-policy"
API_KEY_SECRET_ANNOTATION = "coldsend.pro/api-key-secret"  # noqa: S105 - the name of an annotation

PASSWORD_KEY = "password"  # noqa: S105 - the key inside a Secret, not a password
API_KEY_KEY = "apiKey"
