"""`doctor`: whether the cluster and ColdSend meet the operator's needs."""
