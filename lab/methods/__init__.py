"""Pure measurement algorithms: they know no drivers, only an object with one method that runs a trial."""
