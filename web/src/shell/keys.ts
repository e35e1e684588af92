/** Keys as the tables write them (`ctrl+k`, `shift+n`, `?`, `/`), matched and shown. */

export interface KeyPress {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

const SIGNS: Record<string, string> = { ctrl: 'Ctrl', shift: 'Shift', alt: 'Alt', escape: 'Esc', enter: 'Enter', space: 'Space' }

/**
 * Does the press mean these keys? Letters and digits also count by their place on the keyboard, so
 * that `L` works while a Cyrillic layout is on; signs such as `?` count by what they are.
 */
export function pressed(keys: string, press: KeyPress): boolean {
  const parts = partsOf(keys)
  const main = parts[parts.length - 1]
  if (parts.includes('ctrl') !== (press.ctrlKey || press.metaKey)) return false
  if (parts.includes('alt') !== press.altKey) return false
  const typed = press.key === ' ' ? 'space' : press.key.toLowerCase()
  const letter = /^[a-z0-9]$/.test(main)
  // A sign may need Shift on one layout and not on another.
  if ((letter || main.length > 1) && parts.includes('shift') !== press.shiftKey) return false
  if (typed === main) return true
  return letter && !/^[a-z0-9]$/.test(typed) && press.code.toLowerCase() === (main >= 'a' ? `key${main}` : `digit${main}`)
}

/** A plus at the end is a key itself, as in `+`. */
function partsOf(keys: string): string[] {
  return keys.split(/\+(?=.)/)
}

/** `ctrl+k` as people read it: `Ctrl K`. */
export function keysText(keys: string): string {
  return partsOf(keys)
    .map((part) => SIGNS[part] ?? part.toUpperCase())
    .join(' ')
}
