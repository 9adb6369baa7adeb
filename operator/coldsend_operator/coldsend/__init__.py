"""The client of ColdSend: HTTP and JSON on one side, the records of `core.model.answers` on the other.

Callers need `client.ColdSendClient`, the payloads of `models`, and `errors.CallFailed`.
"""
