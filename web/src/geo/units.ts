/** Signs of units as the field writes them in the page's language: `km/h`, `км/ч`. They are words of the catalogue. */
import { pageI18n } from '../i18n'

export type UnitSign = 'm' | 'km' | 'kph' | 's' | 'min' | 'h' | 'd' | 'byte' | 'kib' | 'mib'

/** Read straight from the catalogue: ages and speeds of thousands of labels are written with them. */
export function sign(unit: UnitSign): string {
  const { getLocaleMessage, locale } = pageI18n().global
  const { units } = getLocaleMessage(locale.value) as { units: Record<UnitSign, string> }
  return units[unit]
}
