"""Glue's transforms: classes whose `apply` calls the frame's method of the same meaning."""


class ApplyMapping:
    @staticmethod
    def apply(frame, mappings, **_):
        return frame.apply_mapping(mappings)


class Filter:
    @staticmethod
    def apply(frame, f, **_):
        return frame.filter(f)


class Map:
    @staticmethod
    def apply(frame, f, **_):
        return frame.map(f)


class Join:
    @staticmethod
    def apply(frame1, frame2, keys1, keys2, **_):
        keys = [[key] if isinstance(key, str) else key for key in (keys1, keys2)]
        return frame1.join(keys[0], keys[1], frame2)


class SelectFields:
    @staticmethod
    def apply(frame, paths, **_):
        return frame.select_fields(paths)


class DropFields:
    @staticmethod
    def apply(frame, paths, **_):
        return frame.drop_fields(paths)


class RenameField:
    @staticmethod
    def apply(frame, old_name, new_name, **_):
        return frame.rename_field(old_name, new_name)


class ResolveChoice:
    @staticmethod
    def apply(frame, specs=None, choice="", **_):
        return frame.resolveChoice(specs, choice)


class DropNullFields:
    @staticmethod
    def apply(frame, **_):
        return frame.drop_null_fields()


class SelectFromCollection:
    @staticmethod
    def apply(dfc, key, **_):
        return dfc.select(key)


class Repartition:
    @staticmethod
    def apply(frame, num_partitions, **_):
        return frame.repartition(num_partitions)
