// The public names of the npm package `wechaty`, one a line, told by the TypeScript compiler from its `.d.ts`.
//
// usage: node typescript-names.mjs FOLDER      (FOLDER/node_modules holds `wechaty` and `typescript`)
//
// `X` is what the package exports, `types.X` what a module that it exports does. Of a class or an interface there are
// `X.member`, `X.static.member` and `X.events.event`; of an enumeration its members. Left out is what is private, protected
// or begins with `_`, what belongs to the language or to Node (an EventEmitter's methods other than `on`, `once` and `off`),
// and what comes from a third package.
import { createRequire } from 'node:module'
import { join, resolve, sep } from 'node:path'

const folder = resolve(process.argv[2])
const require = createRequire(join(folder, 'index.js'))
const ts = require('typescript')
const home = join(folder, 'node_modules', 'wechaty')
const entry = join(home, require(join(home, 'package.json')).types)
const program = ts.createProgram([entry], {
  module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, target: ts.ScriptTarget.ES2022,
  noEmit: true, skipLibCheck: true, strict: true, typeRoots: [join(folder, 'node_modules', '@types')],
})
const checker = program.getTypeChecker()
const source = program.getSourceFile(entry)
const names = new Set()

const exportsOf = symbol => checker.getExportsOfModule(symbol)
const real = symbol => symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
const packageOf = declaration => {
  const parts = declaration.getSourceFile().fileName.split('/node_modules/').at(-1).split('/')
  return parts[0].startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]
}
const isOurs = symbol => (symbol.declarations ?? []).some(d => ['wechaty', 'wechaty-puppet'].includes(packageOf(d)))
const HIDDEN = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
const isHidden = symbol => (symbol.declarations ?? []).some(d => ts.getCombinedModifierFlags(d) & HIDDEN)

// `__@asyncIterator@123` is how the compiler names the member `[Symbol.asyncIterator]`.
function readable (name) {
  const known = /^__@(\w+?)(@\d+)?$/.exec(name)
  return known ? `[Symbol.${known[1]}]` : name
}

function members (owner, type) {
  for (const part of type.isUnion() ? type.types : [type]) {
    for (const property of checker.getPropertiesOfType(part)) {
      const name = readable(property.name)
      const isEmitter = ['on', 'once', 'off'].includes(name)
      if (name.startsWith('_') || name === 'prototype' || isHidden(property)) continue
      if (!isEmitter && !isOurs(property)) continue
      names.add(`${owner}.${name}`)
      if (name === 'on') events(owner, checker.getTypeOfSymbol(property))
    }
  }
}

function events (owner, on) {
  for (const signature of on.getCallSignatures()) {
    let event = checker.getTypeOfSymbol(signature.parameters[0])
    event = event.isTypeParameter() ? checker.getBaseConstraintOfType(event) : event
    for (const one of event.isUnion() ? event.types : [event]) {
      if (one.isStringLiteral()) names.add(`${owner}.events.${one.value}`)
    }
  }
}

// Members of what an export is. A type that is a plain union or a function has none.
function inside (owner, symbol) {
  if (symbol.flags & ts.SymbolFlags.Enum) {
    for (const member of exportsOf(symbol)) names.add(`${owner}.${member.name}`)
  } else if (symbol.flags & ts.SymbolFlags.Class) {
    members(owner, checker.getDeclaredTypeOfSymbol(symbol))
    members(`${owner}.static`, checker.getTypeOfSymbol(symbol))
  } else if (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    if ((type.isUnion() ? type.types : [type]).every(part => part.flags & ts.TypeFlags.Object ||
      part.flags & ts.TypeFlags.Intersection)) members(owner, type)
  } else if (symbol.flags & ts.SymbolFlags.Variable && isOurs(symbol)) {
    members(owner, checker.getTypeOfSymbol(symbol))
  }
}

const entries = exportsOf(checker.getSymbolAtLocation(source))
const module = name => exportsOf(real(entries.find(entry => entry.name === name)))
const impls = new Map(module('impls').map(symbol => [symbol.name, real(symbol)]))
const users = new Set(module('users').map(symbol => symbol.name))

for (const entry of entries) {
  names.add(entry.name)
  const symbol = real(entry)
  const isModule = symbol.flags & ts.SymbolFlags.ValueModule
  // Each of `users` is an export of its own.
  if (isModule && entry.name !== 'users') {
    for (const one of exportsOf(symbol)) {
      names.add(`${entry.name}.${one.name}`)
      if (['types', 'payloads'].includes(entry.name)) inside(`${entry.name}.${one.name}`, real(one))
    }
  } else if (!isModule && entry.name !== 'Sayable') {
    inside(entry.name, symbol)
    // What a bot maker calls `Contact` is an interface; its static methods are in the class.
    if (users.has(entry.name)) members(`${entry.name}.static`, checker.getTypeOfSymbol(impls.get(`${entry.name}Impl`)))
  }
}

if (![...names].some(name => name === 'Contact.alias')) throw new Error(`no names of a Wechaty in ${entry}`)
console.log([...names].sort().join('\n'))
