"""`plan`: the operator's own core goes on with the world that the manifests ask for, against a model of ColdSend."""
