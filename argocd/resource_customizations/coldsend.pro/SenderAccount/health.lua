-- Health of a SenderAccount or a SenderAccountBatch for Argo CD.
-- Argo CD runs scripts from argocd-cm without Lua's string library.

-- The health for each reason of a condition that is False. Argo CD fails a sync on Degraded and waits on Progressing,
-- so reasons that need a person are Degraded, and reasons that pass without one are Progressing.
local health_of = {
  -- Nothing is wrong.
  Active = "Healthy",
  Adopted = "Healthy",
  InSync = "Healthy",
  SecretUnchanged = "Healthy",
  CredentialsUnknown = "Healthy",
  HealthScoreGood = "Healthy",
  HealthScoreUnknown = "Healthy",
  -- The operator or ColdSend continues by itself.
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
  -- A person must act.
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
  local name = health_of[condition.reason] or "Degraded" -- unknown here: from a newer operator
  local spec = obj.spec.template or obj.spec
  if condition.reason == "NotFound" and spec.managementPolicy == "Observe" then
    name = "Degraded" -- the operator creates no inbox for an object that only observes
  end
  return health(name, condition.reason .. ": " .. condition.message)
end

-- Some releases of Argo CD do not run scripts for objects in deletion; they show Progressing.
if obj.metadata.deletionTimestamp ~= nil then
  if not current then
    return health("Progressing", "Waiting for the operator to notice the deletion.")
  end
  local said = judged(ready)
  if ready.status == "False" and said.status == "Degraded" then
    return said
  end
  return health("Progressing", ready.message)
end

if not current then
  return health("Progressing", "Waiting for the operator to notice this generation.")
end

-- First a pause of the object, and deletions of a batch that are on hold.
if synced.reason == "ReconciliationPaused" or synced.reason == "DeletionHeld" or synced.reason == "Frozen" then
  return judged(synced)
end

-- A batch is in progress, even if some of its inboxes failed. An equal message of Ready and Synced concerns the whole batch.
if status.total ~= nil and (status.processed or 0) < status.total and ready.status ~= "True" then
  local some_failed = (status.failed or 0) > 0 and ready.message ~= synced.message
  if some_failed or judged(ready).status ~= "Degraded" then
    return health("Progressing", ready.message)
  end
end

-- The new object of a rename: with PruneLast=true Argo CD deletes the old one only after all others are Healthy.
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
