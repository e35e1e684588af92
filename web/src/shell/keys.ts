/** Keys as the tables write them (`ctrl+k`, `shift+n`, `?`, `/`), matched and shown. */
import { pageI18n } from '../i18n'

export interface KeyPress {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}


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

/** `ctrl+k` as people read it on their keyboard: `Ctrl K`, `Maiusc K`. */
export function keysText(keys: string): string {
  const { t, te } = pageI18n().global
  return partsOf(keys)
    .map((part) => (te(`keyNames.${part}`) ? t(`keyNames.${part}`) : part.toUpperCase()))
    .join(' ')
}
