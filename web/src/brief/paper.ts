/** The brief on paper: one sheet of the map for each step, as the print box makes one. */
import type { ComposerTranslation } from 'vue-i18n'
import { createMap } from '../map/adapter'
import { cameraOf } from '../print/camera'
import { compose } from '../print/compose'
import { DOTS_PER_MM, sheetOf, type Paper } from '../print/sheet'
import type { Shell } from '../shell/shell'
import { drawingsOf } from '../store/drawings'
import type { BriefStep } from './brief'
import { showStep } from './show'

const PX_PER_MM = 96 / 25.4
const DRAWN_LIMIT_MS = 15_000
const TIME_LIMIT_MS = 10_000
const NOTE_MM = 4.2

/** Waits until the page shows the step's time. */
async function timeReached(shell: Shell, step: BriefStep): Promise<void> {
  const until = performance.now() + TIME_LIMIT_MS
  const there = () => (step.at_ms === null ? shell.desk.past.value === null : shell.desk.past.value?.at_ms === step.at_ms)
  while (!there() && performance.now() < until) await new Promise((resolve) => requestAnimationFrame(resolve))
}

/** Notes as lines that fit, on a pale ground over the lower part of the map. */
function writeNotes(canvas: HTMLCanvasElement, paper: Paper, notes: string): void {
  const words = notes.trim().split(/\s+/).filter(Boolean)
  if (!words.length) return
  const { map } = sheetOf(paper)
  const brush = canvas.getContext('2d')!
  brush.font = `500 3.2px 'Inter Variable', sans-serif`
  brush.textAlign = 'left'
  const lines: string[] = []
  for (const word of words) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word
    if (lines.length && brush.measureText(longer).width <= map.width - 12) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  const height = lines.length * NOTE_MM + 4
  brush.fillStyle = 'rgba(255, 255, 255, 0.9)'
  brush.fillRect(map.x + 3, map.y + 3, map.width - 6, height)
  brush.fillStyle = '#14181d'
  lines.forEach((line, n) => brush.fillText(line, map.x + 6, map.y + 6.6 + n * NOTE_MM))
}

/** All steps as sheets. The page shows each for a moment; afterwards the caller puts back what it wants. */
export async function sheetsOf(shell: Shell, steps: readonly BriefStep[], paper: Paper, room: HTMLElement, locale: string, t: ComposerTranslation): Promise<HTMLCanvasElement[]> {
  const { width, height } = sheetOf(paper).map
  const size = { width: Math.round(width * PX_PER_MM), height: Math.round(height * PX_PER_MM) }
  Object.assign(room.style, { width: `${size.width}px`, height: `${size.height}px` })
  const sheets: HTMLCanvasElement[] = []
  for (const step of steps) {
    showStep(shell, step)
    await timeReached(shell, step)
    const { place, zoom } = cameraOf(step.bounds, size)
    const { desk } = shell
    const map = await createMap({
      container: room,
      store: desk.tracks,
      now_ms: () => desk.clock.now_ms(),
      covered: () => [],
      theme: 'day',
      locale,
      title: t('map.label'),
      start: { ...place, zoom },
      pixel_ratio: DOTS_PER_MM[paper] / PX_PER_MM,
      events: { click: () => {}, pointer: () => {}, moved: () => {} },
    })
    await map.drawn(DRAWN_LIMIT_MS)
    map.setDrawings(drawingsOf(desk.tracks, null, desk.now_ms.value))
    await map.drawn(DRAWN_LIMIT_MS)
    map.refresh()
    const canvas = document.createElement('canvas')
    const title = t('brief.sheetTitle', { n: sheets.length + 1, of: steps.length, title: step.title })
    canvas.setAttribute('aria-label', compose(canvas, paper, map.copy(), map.bounds(), title, shell, t))
    writeNotes(canvas, paper, step.notes)
    sheets.push(canvas)
    map.destroy()
  }
  return sheets
}
