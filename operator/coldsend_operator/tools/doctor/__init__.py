"""`doctor`: whether the cluster and ColdSend are as the operator needs them."""
