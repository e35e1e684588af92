/**
 * The page's languages. A language is complete when its test says so.
 *
 * English is in the first load, every other language comes when it is chosen. Texts lie in
 * `i18n/<language>.json` and in `<any folder>/texts/<language>.json` beside the part that speaks them; what the node
 * says too, on paper, in `src/aquila/core/texts/`.
 */
import { createI18n } from 'vue-i18n'
import en from './en.json'

export const LANGUAGES = { en: 'English', it: 'Italiano', kk: 'Қазақша', ru: 'Русский', fr: 'Français' } as const
export type Language = keyof typeof LANGUAGES
export type Catalogue = { [key: string]: string | Catalogue }
/** Written from right to left. None of ours is, yet the page is laid out so that one may be. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur'])

const own = import.meta.glob<Catalogue>(['../**/texts/en.json', '../../../src/aquila/core/texts/en.json'], { eager: true, import: 'default' })
const others = import.meta.glob<Catalogue>(['./*.json', '../**/texts/*.json', '../../../src/aquila/core/texts/*.json', '!./en.json', '!../**/texts/en.json', '!../../../src/aquila/core/texts/en.json'], { import: 'default' })

/** Which of `one | few | many` Russian needs; with two forms the second is for all but one. */
export function russianForm(count: number, forms: number): number {
  const [tens, ones] = [Math.abs(count) % 100, Math.abs(count) % 10]
  const teen = tens > 10 && tens < 20
  if (!teen && ones === 1) return 0
  if (forms < 3) return 1
  return !teen && ones >= 2 && ones <= 4 ? 1 : 2
}

/** French counts nothing as one. */
function frenchForm(count: number): number {
  return Math.abs(count) < 2 ? 0 : 1
}

/** Kazakh nouns stay as they are behind a number. */
function kazakhForm(): number {
  return 0
}

/** The stored choice, else the browser's first language that we speak, else English. */
export function firstLanguage(stored: string | null, browser: readonly string[]): Language {
  for (const wish of [stored, ...browser]) {
    const base = wish?.slice(0, 2).toLowerCase()
    if (base && base in LANGUAGES) return base as Language
  }
  return 'en'
}

/** All texts of one language, of every folder. */
export async function catalogueOf(code: Language): Promise<Catalogue> {
  if (code === 'en') return english()
  const paths = Object.keys(others).filter((path) => path.endsWith(`/${code}.json`))
  return Object.assign({}, ...(await Promise.all(paths.map((path) => others[path]())))) as Catalogue
}

function english(): Catalogue {
  return Object.assign({}, en as Catalogue, ...Object.values(own)) as Catalogue
}

export function makeI18n() {
  return createI18n({
    legacy: false,
    locale: 'en',
    fallbackLocale: 'en',
    messages: { en: english() } as Record<string, Catalogue>,
    pluralRules: { ru: russianForm, fr: frenchForm, kk: kazakhForm },
  })
}

type Spoken = ReturnType<typeof makeI18n>
let page: Spoken | null = null

/** The one of this page; made at its start. */
export function pageI18n(): Spoken {
  page ??= makeI18n()
  return page
}

/** Fetches a language and speaks it from now on; a language that cannot be fetched changes nothing. */
export async function loadLanguage(code: Language): Promise<boolean> {
  const came = await fetchLanguage(code)
  if (came) speak(code)
  return came
}

/** Has the texts of a language here; false: they cannot be fetched. */
export async function fetchLanguage(code: Language): Promise<boolean> {
  const { global } = pageI18n()
  if (global.availableLocales.includes(code)) return true
  try {
    global.setLocaleMessage(code, await catalogueOf(code))
  } catch {
    return false
  }
  return true
}

/** Speaks a language that was fetched. */
export function speak(code: Language): void {
  pageI18n().global.locale.value = code
  document.documentElement.lang = code
  document.documentElement.dir = RIGHT_TO_LEFT.has(code) ? 'rtl' : 'ltr'
}
