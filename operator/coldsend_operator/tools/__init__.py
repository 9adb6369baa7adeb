"""Commands for people: a spreadsheet becomes manifests, manifests are checked, a workspace becomes manifests.

They stand beside the operator and read through the same clients (`kube`, `coldsend`) and the same models (`resources`).
`app` declares the commands; every other module is imported when its command runs.
"""
