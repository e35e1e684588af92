/** Marks of echelon stand outside the frame, black by the standard: on dark ground only their outline is seen. */
import { expect, it } from 'vitest'
import { ECHELONS, sidcOfEchelon } from '../src/symbols/echelon'
import { symbolPicture } from '../src/symbols/symbol'
import { COLOURS, type Theme } from '../src/map/style'

const PLAIN = sidcOfEchelon(null)
const PALE: [number, number, number] = [236, 243, 250]
/** The lesser contrast that WCAG 2.2 (1.4.11) allows of a sign. */
const CONTRAST = 3

function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: readonly number[], b: readonly number[]): number {
  const [high, low] = [luminance(a), luminance(b)].sort((one, other) => other - one)
  return (high + 0.05) / (low + 0.05)
}
const rgbOf = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
const markup = (sidc: string) => decodeURIComponent(symbolPicture(sidc, 'friend').split(',').slice(1).join(','))
const outlines = (sidc: string) => markup(sidc).split(`stroke="rgba(${PALE.join(', ')}`).length - 1

it.each(ECHELONS)('%s has a mark, and the mark a pale outline of its own', (echelon) => {
  const sidc = sidcOfEchelon(echelon)
  expect(markup(sidc)).not.toBe(markup(PLAIN))
  expect(outlines(sidc)).toBeGreaterThan(outlines(PLAIN))
})
it.each(Object.keys(COLOURS) as Theme[])('mark or outline stands out from land and water in the look %s', (theme) => {
  // At night symbols are multiplied by a dark red (NIGHT in symbol.ts).
  const dim = theme === 'night' ? [150 / 255, 96 / 255, 92 / 255] : [1, 1, 1]
  const outline = PALE.map((value, i) => value * dim[i] * 0.92)
  for (const ground of [COLOURS[theme].land, COLOURS[theme].water]) {
    expect(Math.max(contrast(outline, rgbOf(ground)), contrast([0, 0, 0], rgbOf(ground)))).toBeGreaterThan(CONTRAST)
  }
})
