import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { catalogueOf, firstLanguage, LANGUAGES, makeI18n, russianForm, type Catalogue, type Language } from '../src/i18n'

function flat(tree: Catalogue, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(path + key, value)
    else for (const [inner, text] of flat(value, `${path}${key}.`)) found.set(inner, text)
  }
  return found
}
const words = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1])
const SOURCE = join(process.cwd(), 'web/src')
const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf-8' })
  .filter((name) => /\.(vue|ts)$/.test(name))
  .map((name) => readFileSync(join(SOURCE, name), 'utf-8'))
  .join('\n')

/** Names, abbreviations and words that are the same in another language; everything else must differ. */
const SAME_EVERYWHERE = /^(act\.form\.(methane|mist)$|act\.tracks\.member\.(mmsi|icao24)$|app\.title|keyNames\.|upkeep\.ports\.tak$|map\.attribution|invitation\.for\.|how\.gps|line\.reportNowhere|medevac\.mist|links\.perSecond|strip\.hours|staffMedevac\.title|orbatFiles\.formats\.msdl|staffRoles\.features\.medevac)/
const SAME: Record<string, RegExp> = {
  it: /^(units\.|act\.form\.no$|act\.tracks\.member\.radar$|(draw\.tool|staffAlerts)\.area|tabs\.(orbat|chat)|details\.latlon|journal\.chatOnly|kind\.chat|chat\.title|devices\.password|strip\.talk|medevac\.routine|orbatFiles\.file|staffRoles\.title|patterns\.unit\.)/,
  fr: /^(print\.papers\..*_portrait$|act\.(tracks\.member\.radar|print\.sources|field\.(terrain|liaison|minutes|points|mission|situation|phases?|annexes|protection|nation|position)|order\.(heading\.(situation|mission|annexes)|place\.phases|says\.(phase|version)|shape\.point)|form\.(source|terrain|observations|lz_terrain|distance|probable|type)|handover\.detail\.probable)$|banner\.simulation|tabs\.journal|details\.(position|latlon|source|type|message)|affiliation\.hostile|journal\.(title|note)|marker\.(type|types\.hostile)|exchange\.missions|devices\.(nation|ways\.invitation|valid\.15)|missions\.description|filter\.source|table\.source|find\.journal|sections\.page|medevac\.(patients|terrain|obstacles|urgent)|staffOrbat\.(nation|echelons\.(BRIGADE|DIVISION))|orbatFiles\.format|staffRoles\.features\.(incidents|questions)|staffIncidents\.(title|state\.action|precedences\.[ZR])|patterns\.unit\.min|upkeep\.(what\.(journal|invitation)|ports\.http)|picture\.(nation|phases)|staffOrders\.(version|part\.(situation|mission|phases|annexes)|field\.(terrain|protection|personnel|phase|points|minutes|liaison))|staffQuestions\.(title|blank\.text)|intel\.blank\.question|coverage\.(radars|kind\.(radar|drone))|draw\.(colours\.violet|tool\.point)|staffLine\.field\.direction|tracksQuality\.radar|staffRollup\.(value|sources?)|feeds\.format|units\.(m|km|kph|s|min|h))$/,
}

const catalogues = new Map<string, Map<string, string>>()
beforeAll(async () => {
  for (const code of Object.keys(LANGUAGES) as Language[]) catalogues.set(code, flat(await catalogueOf(code)))
})
const english = () => catalogues.get('en')!

describe.each(Object.keys(LANGUAGES) as Language[])('language %s', (code) => {
  const catalogue = () => catalogues.get(code)!

  it('has every text, and no text that English has not', () => {
    expect([...catalogue().keys()].sort()).toEqual([...english().keys()].sort())
    expect([...catalogue()].filter(([, text]) => !text.trim())).toEqual([])
  })

  it('names the same values in every text', () => {
    for (const [key, text] of catalogue()) {
      expect([...new Set(words(text))].sort(), key).toEqual([...new Set(words(english().get(key)!))].sort())
    }
  })

  it('has no text that was left in English', () => {
    if (code === 'en') return
    const left = [...catalogue()].filter(([key, text]) => text === english().get(key) && /\p{L}{2}/u.test(text.replace(/\{\w+\}/g, '')))
    expect(left.map(([key]) => key).filter((key) => !SAME_EVERYWHERE.test(key) && !SAME[code]?.test(key))).toEqual([])
  })

  it('calls an age the same in the bar, in the filter and beside a symbol', () => {
    for (const age of ['fresh', 'ageing', 'stale']) {
      const root = catalogue().get(`age.${age}`)!.slice(0, 4)
      for (const place of ['counts', 'entities']) expect(catalogue().get(`${place}.${age}`)!.toLowerCase()).toContain(root)
    }
  })

  it('can be spoken, and counts', async () => {
    const { global } = makeI18n()
    global.setLocaleMessage(code, await catalogueOf(code))
    global.locale.value = code
    for (const key of catalogue().keys()) expect(global.t(key, { n: 2 })).not.toBe(key)
    expect(global.t('counts.entities', 1)).toContain('1')
    expect(global.t('counts.links', 12)).not.toMatch(/[{}|]/)
  })
})

describe('plurals', () => {
  async function say(code: Language, key: string, n: number): Promise<string> {
    const { global } = makeI18n()
    global.setLocaleMessage(code, await catalogueOf(code))
    global.locale.value = code
    return global.t(key, n)
  }

  it('in Russian follow the last digits', async () => {
    expect([1, 21, 101].map((n) => russianForm(n, 3))).toEqual([0, 0, 0])
    expect([2, 3, 4, 22, 104].map((n) => russianForm(n, 3))).toEqual([1, 1, 1, 1, 1])
    expect([0, 5, 11, 12, 14, 20, 111, 1000].map((n) => russianForm(n, 3))).toEqual([2, 2, 2, 2, 2, 2, 2, 2])
    expect(await say('ru', 'counts.entities', 1)).toBe('1 объект')
    expect(await say('ru', 'counts.entities', 23)).toBe('23 объекта')
    expect(await say('ru', 'counts.entities', 111)).toBe('111 объектов')
  })

  it('in French count nothing as one, in Kazakh change nothing', async () => {
    expect(await say('fr', 'counts.entities', 0)).toBe('0 entité')
    expect(await say('fr', 'counts.entities', 2)).toBe('2 entités')
    expect([await say('kk', 'counts.entities', 1), await say('kk', 'counts.entities', 5)]).toEqual(['1 нысан', '5 нысан'])
  })
})

/** A count before a word that it would bend, by language. */
const BENDS: Partial<Record<Language, RegExp>> = {
  en: /\{n\} (more )?[a-z]+s\b/,
  it: /\{n\} [a-zà-ù]{3,}[aei]\b/,
  fr: /\{n\} [a-zà-ù]+s\b/,
  ru: /\{n\} [а-я]{4,}/,
}
/** Counts that are one fixed limit of the program, never one; and what no count bends. */
const FIXED = /^(act\.refused\.|orbatFiles\.(noticeOf|assignedOf|serviceableOf)|trails\.shorter|brief\.|draw\.corner|staffTasks\.toFrago|staffOrders\.silent|act\.handover\.print\.left_out)/

describe.each(Object.keys(LANGUAGES) as Language[])('counts in %s', (code) => {

  it('have a form for each plural of the language', async () => {
    const { global } = makeI18n()
    global.setLocaleMessage(code, await catalogueOf(code))
    global.locale.value = code
    const plural = new Intl.PluralRules(code)
    for (const [key, text] of catalogues.get(code)!) {
      const forms = text.split(' | ')
      // What no count bends has one form: adjectives in English, nouns in Kazakh, a figure behind a colon.
      if (forms.length === 1) continue
      const said = new Map<string, Set<string>>()
      for (const n of [0, 1, 2, 5, 11, 21, 22]) {
        const form = global.t(key, { n: '#' }, n)
        const category = plural.select(n)
        said.set(category, (said.get(category) ?? new Set()).add(form))
      }
      expect([key, forms.length]).toEqual([key, said.size])
      for (const [category, ways] of said) expect([key, category, ways.size]).toEqual([key, category, 1])
    }
  })

  it('stand before no word that would have to bend', () => {
    const stiff = [...catalogues.get(code)!].filter(([key, text]) => !text.includes(' | ') && !FIXED.test(key) && BENDS[code]?.test(text))
    expect(stiff.map(([key]) => key)).toEqual([])
  })
})

describe('texts', () => {
  it('exist for every key that the page asks for', () => {
    const asked = [...sources.matchAll(/\bt\(\s*'([a-zA-Z.]+)'/g)].map((match) => match[1])
    const in_tables = [...sources.matchAll(/\btitle: '([a-z]\w*\.[a-zA-Z.]+)'/g)].map((match) => match[1])
    expect(asked.length).toBeGreaterThan(50)
    expect(in_tables.length).toBeGreaterThan(10)
    expect([...asked, ...in_tables].filter((key) => !english().has(key))).toEqual([])
  })

  it('are never put on the page as HTML', () => {
    expect(sources).not.toMatch(/v-html|innerHTML|insertAdjacentHTML|document\.write/)
  })
})

describe('the first language', () => {
  it('is the stored one, else the browser’s, else English', () => {
    expect(firstLanguage('it', ['en-GB'])).toBe('it')
    expect(firstLanguage(null, ['kk-KZ', 'it-IT', 'en'])).toBe('kk')
    expect(firstLanguage('xx', ['zz'])).toBe('en')
  })
})

it('a name and its value are joined by the catalogue: French writes a space before the colon', () => {
  expect(sources.match(/`\$\{t\('[\w.]+'\)\}: |\{\{ t\('[\w.]+'\) \}\}: /g)).toBeNull()
  expect(catalogues.get('fr')!.get('act.print.field')).toBe('{name}\u00a0: {value}')
})
