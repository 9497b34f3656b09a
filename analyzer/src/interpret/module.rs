//! Imports: libraries by their dotted path, sibling modules by their text.

use super::Interpreter;
use crate::library;
use crate::value::{Object, ObjectId, Value};

impl Interpreter<'_> {
    pub(super) fn import(&mut self, module: &str, alias: Option<&str>, scope: ObjectId) {
        match alias {
            Some(alias) => {
                let value = self.module(module);
                self.bind(scope, alias, value);
            }
            None => {
                // `import a.b` binds `a`; the parts behind it are found when they are used.
                let root = module.split('.').next().unwrap_or(module);
                let value = self.module(root);
                self.bind(scope, root, value);
            }
        }
    }

    pub(super) fn import_from(&mut self, module: &str, names: &[(String, Option<String>)], scope: ObjectId) {
        if module.is_empty() {
            names.iter().for_each(|(name, alias)| self.import(name, alias.as_deref(), scope));
            return;
        }
        let source = if library::is_library(module) { None } else { self.sibling(module) };
        for (name, alias) in names {
            if name == "*" {
                self.import_all(module, source, scope);
                continue;
            }
            let value = match source {
                Some(exports) => self.lookup(exports, name),
                None => library::imported(module, name),
            };
            // A name that the module does not define is a module beside it, or the text is not the one that runs.
            let value = value.unwrap_or_else(|| match source {
                None if library::is_library(module) => Value::native(format!("{module}.{name}")),
                _ => self.module(&format!("{module}.{name}")),
            });
            self.bind(scope, alias.as_deref().unwrap_or(name), value);
        }
    }

    fn import_all(&mut self, module: &str, source: Option<ObjectId>, scope: ObjectId) {
        match source {
            Some(exports) => {
                let Object::Scope { names, .. } = self.heap.get(exports) else { return };
                for (name, value) in names.clone() {
                    if !name.starts_with('_') {
                        self.bind(scope, &name, value);
                    }
                }
            }
            None => {
                let key = format!("*{module}");
                self.bind(scope, &key, Value::native(module));
            }
        }
    }

    /// What `from module import *` brought under a name.
    pub(super) fn starred(&self, name: &str, scope: ObjectId) -> Option<Value> {
        let mut next = Some(scope);
        while let Some(id) = next {
            let Object::Scope { names, parent, .. } = self.heap.get(id) else { return None };
            for module in names.keys().filter_map(|key| key.strip_prefix('*')) {
                if let Some(value) = library::exported(module, name) {
                    return Some(value);
                }
            }
            next = *parent;
        }
        None
    }

    fn module(&mut self, dotted: &str) -> Value {
        if library::is_library(dotted) {
            return Value::native(dotted);
        }
        match self.sibling(dotted) {
            Some(scope) => Value::Object(scope),
            None => Value::native(dotted),
        }
    }

    /// The names of a sibling module, executed once.
    fn sibling(&mut self, dotted: &str) -> Option<ObjectId> {
        if let Some(known) = self.modules.get(dotted) {
            return *known;
        }
        self.modules.insert(dotted.to_owned(), None);
        let script = self.world.module(dotted)?;
        self.fuel += 40 * script.text().len() as u64;
        let block = script.script();
        let scope = self.heap.scope(None);
        self.bind(scope, "__name__", Value::text(dotted));
        let file = u32::try_from(self.modules.len()).unwrap_or(u32::MAX);
        let outer = (std::mem::replace(&mut self.file, file), std::mem::replace(&mut self.section, 0));
        self.block(&block, scope, &mut Vec::new());
        (self.file, self.section) = outer;
        self.modules.insert(dotted.to_owned(), Some(scope));
        Some(scope)
    }
}
