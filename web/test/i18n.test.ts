import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CATALOGUES, firstLanguage, LANGUAGES, makeI18n, type Language } from '../src/i18n'

type Tree = { [key: string]: string | Tree }
function flat(tree: Tree, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(path + key, value)
    else for (const [inner, text] of flat(value, `${path}${key}.`)) found.set(inner, text)
  }
  return found
}
const words = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1])
const english = flat(CATALOGUES.en)
const SOURCE = join(process.cwd(), 'web/src')
const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf-8' })
  .filter((name) => /\.(vue|ts)$/.test(name))
  .map((name) => readFileSync(join(SOURCE, name), 'utf-8'))
  .join('\n')

describe.each(Object.keys(LANGUAGES) as Language[])('language %s', (code) => {
  const catalogue = flat(CATALOGUES[code])

  it('has every text, and no text that English has not', () => {
    expect([...catalogue.keys()].sort()).toEqual([...english.keys()].sort())
    expect([...catalogue].filter(([, text]) => !text.trim())).toEqual([])
  })

  it('names the same values in every text', () => {
    for (const [key, text] of catalogue) {
      expect([...new Set(words(text))].sort(), key).toEqual([...new Set(words(english.get(key)!))].sort())
    }
  })

  it('can be spoken', () => {
    const { t } = makeI18n(code).global
    for (const key of catalogue.keys()) expect(t(key, { n: 2 })).not.toBe(key)
    expect(t('counts.entities', 1)).toContain('1')
  })
})

describe('texts', () => {
  it('exist for every key that the page asks for', () => {
    const asked = [...sources.matchAll(/\bt\(\s*'([a-zA-Z.]+)'/g)].map((match) => match[1])
    expect(asked.length).toBeGreaterThan(50)
    expect(asked.filter((key) => !english.has(key))).toEqual([])
  })

  it('are never put on the page as HTML', () => {
    expect(sources).not.toMatch(/v-html|innerHTML|insertAdjacentHTML|document\.write/)
  })
})

describe('the first language', () => {
  it('is the stored one, else the browser’s, else English', () => {
    expect(firstLanguage('it', ['en-GB'])).toBe('it')
    expect(firstLanguage(null, ['kk-KZ', 'it-IT', 'en'])).toBe('it')
    expect(firstLanguage('xx', ['zz'])).toBe('en')
  })
})
