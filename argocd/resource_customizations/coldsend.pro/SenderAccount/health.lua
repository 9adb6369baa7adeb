-- Health of a SenderAccount or a SenderAccountBatch for Argo CD.
-- Scripts from argocd-cm have no string library, so only the base of Lua is used.

-- What a reason means for a condition that is False. Argo CD fails a sync on Degraded and waits on Progressing, so
-- Progressing is what ends without a person, and Degraded what does not.
local health_of = {
  -- Good, or no news.
  Active = "Healthy",
  Adopted = "Healthy",
  InSync = "Healthy",
  SecretUnchanged = "Healthy",
  CredentialsUnknown = "Healthy",
  HealthScoreGood = "Healthy",
  HealthScoreUnknown = "Healthy",
  -- The operator or ColdSend is at it, and goes on.
  Provisioning = "Progressing",
  Pending = "Progressing",
  NotFound = "Progressing",
  Recreating = "Progressing",
  Deleting = "Progressing",
  HandedOver = "Progressing",
  RateLimited = "Progressing",
  ApiUnavailable = "Progressing",
  DomainNotActive = "Progressing",
  -- A person paused the inbox in ColdSend, or the object.
  Paused = "Suspended",
  ReconciliationPaused = "Suspended",
  Frozen = "Suspended",
  -- A person has to do something.
  Disabled = "Degraded",
  UnknownStatus = "Degraded",
  InUseByCampaign = "Degraded",
  DeletionHeld = "Degraded",
  InvalidSpec = "Degraded",
  AlreadyExists = "Degraded",
  AddressConflict = "Degraded",
  Drifted = "Degraded",
  UpdateNotSupported = "Degraded",
  ChildChangedByOthers = "Degraded",
  InventoryImplausible = "Degraded",
  SecretChanged = "Degraded",
  SecretNotFound = "Degraded",
  SecretInvalid = "Degraded",
  SecretKeyNotFound = "Degraded",
  ConnectionFailed = "Degraded",
  Rejected = "Degraded",
  DomainNotFound = "Degraded",
  DomainFull = "Degraded",
  Unauthorized = "Degraded",
  MissingScopes = "Degraded",
  PlanLimit = "Degraded",
  HealthScoreLow = "Degraded",
}

local status = obj.status or {}
local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end
local ready, synced = found.Ready, found.Synced
local current = ready ~= nil and synced ~= nil and status.observedGeneration == obj.metadata.generation

local function health(name, message)
  return {status = name, message = message}
end

local function judged(condition)
  local name = health_of[condition.reason] or "Degraded" -- a reason that a newer operator has
  local spec = obj.spec.template or obj.spec
  if condition.reason == "NotFound" and spec.managementPolicy == "Observe" then
    name = "Degraded" -- the operator makes no inbox for an object that only observes
  end
  return health(name, condition.reason .. ": " .. condition.message)
end

-- Releases of Argo CD that do not ask a script about objects in deletion call them Progressing.
if obj.metadata.deletionTimestamp ~= nil then
  if not current then
    return health("Progressing", "Waiting for the operator to take notice of the deletion.")
  end
  local said = judged(ready)
  if ready.status == "False" and said.status == "Degraded" then
    return said
  end
  return health("Progressing", ready.message)
end

if not current then
  return health("Progressing", "Waiting for the operator to take notice of this generation.")
end

-- Before everything else: a pause of the object, and deletions that a batch wants and is not granted.
if synced.reason == "ReconciliationPaused" or synced.reason == "DeletionHeld" or synced.reason == "Frozen" then
  return judged(synced)
end

-- A batch at work, be it that some inboxes have failed already. What Ready and Synced say alike concerns the whole batch.
if status.total ~= nil and (status.processed or 0) < status.total and ready.status ~= "True" then
  local some_failed = (status.failed or 0) > 0 and ready.message ~= synced.message
  if some_failed or judged(ready).status ~= "Degraded" then
    return health("Progressing", ready.message)
  end
end

-- The new object of a rename. With PruneLast=true Argo CD deletes the old one only once all others are Healthy.
if ready.reason == "AddressConflict" and status.takesOverFrom ~= nil then
  return health("Healthy", ready.message)
end

for _, kind in ipairs({"Ready", "Synced", "CredentialsCurrent", "Healthy"}) do
  local condition = found[kind]
  if condition ~= nil and condition.status == "False" then
    return judged(condition)
  end
end
if ready.status ~= "True" then
  return health("Progressing", ready.message)
end
return health("Healthy", ready.message)
