import { describe, expect, it, vi } from 'vitest'
import { isLocalHost } from '../src/exchange/localHost'
import en from '../src/i18n/en.json'
import fr from '../src/i18n/fr.json'
import it_ from '../src/i18n/it.json'
import kk from '../src/i18n/kk.json'
import ru from '../src/i18n/ru.json'
import { hiddenIds } from '../src/store/drawings'

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} })

describe('what a map does not show', () => {
  it('is what layers hide and what a filter leaves out, if one narrows it', () => {
    const look = { hidden: new Set(['a']) }
    expect([...hiddenIds(look, new Set(['b']))]).toEqual(['a', 'b'])
    expect([...hiddenIds(look, null)]).toEqual(['a'])
    expect([...hiddenIds({}, null)]).toEqual([])
  })
})

describe('an address for somebody else', () => {
  it('leads nowhere when it means the machine that opens it', () => {
    for (const host of ['localhost', '127.0.0.1', '127.8.8.8', '::1', '[::1]', '0.0.0.0']) expect(isLocalHost(host)).toBe(true)
    for (const host of ['node.local', '10.1.2.3', 'localhost.example.org', '12.7.0.1', '2001:db8::1']) expect(isLocalHost(host)).toBe(false)
  })
})

describe('the print action', () => {
  it('is found by what people call it, in every language', () => {
    for (const { palette } of [en, it_, fr, ru, kk]) {
      const words = palette.also.print.split(' ')
      expect(words).toEqual(expect.arrayContaining(['png', 'pdf']))
    }
  })
})
