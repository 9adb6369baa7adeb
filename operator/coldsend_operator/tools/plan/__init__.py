"""`plan`: runs the operator's own core on the desired objects, against a model of ColdSend."""
