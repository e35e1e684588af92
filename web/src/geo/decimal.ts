/** Figures that people read, with the decimal mark of the page's language. Never for what is copied, typed back or sent. */
import { pageI18n } from '../i18n'

/** Not by `Intl`: a browser without data of Kazakh would write a point there. */
const WITH_POINT: ReadonlySet<string> = new Set(['en'])

export function decimal(value: number, digits: number): string {
  return marked(value.toFixed(digits))
}

/** A figure in digits with a point, as the page's language writes it. */
export function marked(text: string): string {
  return WITH_POINT.has(pageI18n().global.locale.value) ? text : text.replace('.', ',')
}

/** A figure that may be below zero, with the sign of typesetting: a hyphen is lost before digits. Nothing is below zero that is written as zero. */
export function signed(text: string): string {
  return text.replace(/^-(?=[0.,]*(?:[^\d.,]|$))/, '').replace(/^-/, '\u2212')
}
