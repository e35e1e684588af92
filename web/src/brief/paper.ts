/** The brief on paper: one sheet of the map for each step, as the print box makes one. */
import type { ComposerTranslation } from 'vue-i18n'
import { createMap } from '../map/adapter'
import type { MapAdapter } from '../map/port'
import { cameraOf, DRAWN_LIMIT_MS } from '../print/camera'
import { compose, pictureOf } from '../print/compose'
import { dressSheet, hidingOf } from '../print/hiding'
import { dotsPerMm, type Paper } from '../print/paper'
import { sheetOf } from '../print/layout'
import type { DrawnSheet } from '../print/sheetShown'
import { Pen, wrapped } from '../print/words'
import type { Shell } from '../shell/shell'
import type { BriefStep } from './brief'
import { showStep } from './show'

const PX_PER_MM = 96 / 25.4
const TIME_LIMIT_MS = 10_000
const NOTE_MM = 4.2
const NOTE_SIZE_MM = 3.2

/** Waits until the page shows the step's time. */
async function timeReached(shell: Shell, step: BriefStep): Promise<void> {
  const until = performance.now() + TIME_LIMIT_MS
  const there = () => (step.at_ms === null ? shell.desk.past.value === null : shell.desk.past.value?.at_ms === step.at_ms)
  while (!there() && performance.now() < until) await new Promise((resolve) => requestAnimationFrame(resolve))
}

/** Notes as lines that fit, on a pale ground over the upper part of the map. */
function withNotes(sheet: DrawnSheet, paper: Paper, notes: string): DrawnSheet {
  const { map } = sheetOf(paper)
  const pen = new Pen(sheet.canvas.getContext('2d')!)
  const lines = notes.split('\n').flatMap((line) => wrapped(pen.brush, line, map.width - 12, NOTE_SIZE_MM))
  if (!lines.length) return sheet
  pen.brush.fillStyle = 'rgba(255, 255, 255, 0.9)'
  pen.brush.fillRect(map.x + 3, map.y + 3, map.width - 6, lines.length * NOTE_MM + 2.6)
  lines.forEach((line, n) => pen.write(line, map.x + 6, map.y + 6.9 + n * NOTE_MM, NOTE_SIZE_MM, '#14181d'))
  return { canvas: sheet.canvas, words: [...sheet.words, ...pen.words] }
}

/** All steps as sheets. The page shows each for a moment; afterwards the caller puts back what it wants. */
export async function sheetsOf(shell: Shell, steps: readonly BriefStep[], paper: Paper, room: HTMLElement, locale: string, t: ComposerTranslation): Promise<DrawnSheet[]> {
  const { desk } = shell
  const { width, height } = sheetOf(paper).map
  const size = { width: Math.round(width * PX_PER_MM), height: Math.round(height * PX_PER_MM) }
  Object.assign(room.style, { width: `${size.width}px`, height: `${size.height}px` })
  const sheets: DrawnSheet[] = []
  let map: MapAdapter | null = null
  try {
    for (const step of steps) {
      showStep(shell, step)
      await timeReached(shell, step)
      const { place, zoom } = cameraOf(step.bounds, size)
      map ??= await createMap({
        container: room,
        store: desk.tracks,
        now_ms: () => desk.clock.now_ms(),
        covered: () => [],
        theme: 'day',
        locale,
        title: t('map.label'),
        start: { ...place, zoom },
        pixel_ratio: dotsPerMm(paper) / PX_PER_MM,
        events: { click: () => {}, pointer: () => {}, moved: () => {} },
      })
      map.show(place, zoom)
      const hiding = hidingOf(shell, true, t)
      await dressSheet(shell, map, hiding)
      if (!(await map.drawn(DRAWN_LIMIT_MS))) desk.notify({ tone: 'bad', key: 'print.incomplete' })
      map.refresh()
      const title = t('brief.sheetTitle', { n: sheets.length + 1, of: steps.length, title: step.title })
      sheets.push(withNotes(compose(paper, pictureOf(map), title, shell, hiding, t), paper, step.notes))
    }
  } finally {
    map?.destroy()
  }
  return sheets
}
