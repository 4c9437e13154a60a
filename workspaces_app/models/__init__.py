"""Rows of the people side: users, workspaces, members and their roles, the audit trail, what a picker offers."""

from workspaces_app.models.catalogue import (
    CatalogueItem,
    CatalogueItemQuerySet,
    CatalogueKind,
    CatalogueRead,
    RecentItem,
    RecentItemQuerySet,
)
from workspaces_app.models.people import SignInBucket, User, UserManager
from workspaces_app.models.webhooks import (
    WebhookDelivery,
    WebhookDeliveryQuerySet,
    WebhookEndpoint,
    WebhookEndpointQuerySet,
)
from workspaces_app.models.workspaces import (
    AccountSnapshot,
    AccountSnapshotQuerySet,
    AuditEntry,
    AuditEntryQuerySet,
    Dialect,
    Membership,
    MembershipQuerySet,
    Role,
    Workspace,
    WorkspaceQuerySet,
)

__all__ = [
    "AccountSnapshot",
    "AccountSnapshotQuerySet",
    "AuditEntry",
    "AuditEntryQuerySet",
    "CatalogueItem",
    "CatalogueItemQuerySet",
    "CatalogueKind",
    "CatalogueRead",
    "Dialect",
    "Membership",
    "MembershipQuerySet",
    "RecentItem",
    "RecentItemQuerySet",
    "Role",
    "SignInBucket",
    "User",
    "UserManager",
    "WebhookDelivery",
    "WebhookDeliveryQuerySet",
    "WebhookEndpoint",
    "WebhookEndpointQuerySet",
    "Workspace",
    "WorkspaceQuerySet",
]
