"""The faces and the floor below them: settings, files, the run, and what each face makes of it."""
