"""The arguments of a job run."""


class GlueArgumentError(Exception):
    """A required argument is missing."""


def getResolvedOptions(argv, options):
    """The values of `--NAME VALUE` or `--NAME=VALUE` for each option, which are all required."""
    given = {}
    words = iter(argv[1:])
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            given[name] = value if equals else next(words, "")
    missing = [option for option in options if option not in given]
    if missing:
        raise GlueArgumentError(f"the following arguments are required: {', '.join('--' + name for name in missing)}")
    return {option: given[option] for option in options}
