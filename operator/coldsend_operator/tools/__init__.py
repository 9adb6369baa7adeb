"""Commands for people, such as plan, import, export, inventory and doctor.

They use the same clients (`kube`, `coldsend`) and the same models (`resources`) as the operator.
`app` declares the commands; every other module is imported when its command runs.
"""
