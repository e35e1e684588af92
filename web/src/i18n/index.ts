/** The page's languages. A language is complete when its test says so. */
import { createI18n } from 'vue-i18n'
import en from './en.json'
import it from './it.json'

export const LANGUAGES = { en: 'English', it: 'Italiano' } as const
export type Language = keyof typeof LANGUAGES
export const CATALOGUES = { en, it }

/** The stored choice, else the browser's first language that we speak, else English. */
export function firstLanguage(stored: string | null, browser: readonly string[]): Language {
  for (const wish of [stored, ...browser]) {
    const base = wish?.slice(0, 2).toLowerCase()
    if (base && base in LANGUAGES) return base as Language
  }
  return 'en'
}

export function makeI18n(locale: Language) {
  return createI18n({ legacy: false, locale, fallbackLocale: 'en', messages: CATALOGUES })
}
