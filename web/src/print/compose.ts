/** Makes one sheet of what the page shows: its picture, its texts, its legend. */
import type { ComposerTranslation } from 'vue-i18n'
import { latLon } from '../geo/format'
import type { MapAdapter } from '../map/port'
import type { Shell } from '../shell/shell'
import type { Desk } from '../store/desk'
import { dtg } from '../time/dtg'
import { contextOf, levelOf, PAPER_COLOUR } from './banner'
import { sheetOf, type Bounds, type Picture, type SheetTexts } from './layout'
import { kindsOf, symbolLines, trailLines, type LegendLine } from './legend'
import type { Paper } from './paper'
import { drawSheet, groundPerMm, scaleNumber } from './sheet'
import type { DrawnSheet } from './sheetShown'

export function pictureOf(map: MapAdapter): Picture {
  return { canvas: map.copy(), bounds: map.bounds(), trails: map.trails() }
}

/** The line of time: the past and a picture that is no longer live say so. */
function timeText(desk: Desk, t: ComposerTranslation): { time: string; past: boolean } {
  const past = desk.past.value
  if (past) return { time: t('print.replay', { dtg: dtg(past.at_ms) }), past: true }
  if (desk.frozen()) return { time: t('print.notLive', { dtg: dtg(desk.heard_ms.value) }), past: true }
  return { time: t('print.asOf', { dtg: dtg(desk.now_ms.value) }), past: false }
}

function textsOf(desk: Desk, title: string, paper: Paper, bounds: Bounds, narrowed: string | null, t: ComposerTranslation): SheetTexts {
  const banner = desk.banner.value
  const context = contextOf(banner, desk.context.value)
  const [west, south, east, north] = bounds
  const ground = groundPerMm(bounds, sheetOf(paper).map.width)
  const who = desk.me.value?.principal.name ?? ''
  return {
    ...timeText(desk, t),
    banner: banner?.text ?? '',
    context: t(`banner.${context}`),
    real: context === 'real',
    banner_colour: PAPER_COLOUR[levelOf(banner)],
    title,
    legend: t('print.legend'),
    more: (n) => t('print.more', n),
    notes: [...(narrowed === null ? [] : [narrowed]), t('print.scale', { n: scaleNumber(ground) }), t('print.datum'), latLon((south + north) / 2, (west + east) / 2), t('print.ages')],
    foot: [t('print.printed', { dtg: dtg(desk.present_ms.value), who }), t('print.node', { name: desk.node_name.value }), desk.context.value].join(' · '),
    attribution: t('map.attribution'),
    borders: t('map.borders'),
  }
}

export interface Hiding {
  /** Ids of what the picture does not show. */
  hidden: ReadonlySet<string>
  /** Says that a filter left something out; null: none did. */
  narrowed: string | null
}

function legendOf(desk: Desk, { bounds, trails }: Picture, hidden: ReadonlySet<string>, t: ComposerTranslation): LegendLine[] {
  return [
    ...trailLines(trails, (span_min) => t('print.trails', { n: Math.max(1, Math.round(span_min)) }), (side) => t(`affiliation.${side}`)),
    ...symbolLines(kindsOf(desk.tracks, bounds, hidden), (kind) => `${t(`affiliation.${kind.affiliation}`)} · ${t(`category.${kind.category}`)}`),
  ]
}

/** The sheet of a map's picture. */
export function compose(paper: Paper, picture: Picture, title: string, shell: Shell, { hidden, narrowed }: Hiding, t: ComposerTranslation): DrawnSheet {
  const texts = textsOf(shell.desk, title, paper, picture.bounds, narrowed, t)
  const canvas = document.createElement('canvas')
  const words = drawSheet(canvas, paper, picture, texts, legendOf(shell.desk, picture, hidden, t))
  canvas.setAttribute('role', 'img')
  canvas.setAttribute('aria-label', t('print.sheet', { banner: `${texts.banner} ${texts.context}`, title, dtg: texts.time }))
  return { canvas, words }
}

/** The middle of a picture of the screen's map, in the shape of the sheet's map. */
export function cropped({ canvas: picture, bounds: [west, south, east, north], trails }: Picture, paper: Paper): Picture {
  const { map: frame } = sheetOf(paper)
  const shape = frame.width / frame.height
  const width = Math.min(picture.width, picture.height * shape)
  const height = width / shape
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(width)
  canvas.height = Math.round(height)
  canvas.getContext('2d')!.drawImage(picture, (width - picture.width) / 2, (height - picture.height) / 2)
  const [x, y] = [width / picture.width / 2, height / picture.height / 2]
  const middle = (west + east) / 2
  const top = Math.log(Math.tan(Math.PI / 4 + (north * Math.PI) / 360))
  const low = Math.log(Math.tan(Math.PI / 4 + (south * Math.PI) / 360))
  const lat = (value: number) => (2 * Math.atan(Math.exp(value)) - Math.PI / 2) * (180 / Math.PI)
  const half = (top - low) * y
  return {
    canvas,
    trails,
    bounds: [middle - (east - west) * x, lat((top + low) / 2 - half), middle + (east - west) * x, lat((top + low) / 2 + half)],
  }
}
