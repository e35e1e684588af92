/** The part of a form that has a place: drawn on the map while the form waits, or taken from what is drawn already. */
import { computed, nextTick, onMounted, ref, useTemplateRef } from 'vue'
import { useShell } from '../shell/shell'
import { useDesk } from '../store/desk'
import { strokeOfRow, type Tool } from './drawings'
import { ringOf, type Corner } from './geometry'
import type { Stroke } from './pen'
import { drawingOf } from './session'

/** Corners of what the pen drew: an area as it is, a circle as its ring. */
export function cornersOf({ shape, points, radius_m }: Stroke): Corner[] {
  if (shape === 'circle') return ringOf(points[0], radius_m ?? 0).slice(0, -1).map(([lon, lat]) => [((((lon + 180) % 360) + 360) % 360) - 180, lat])
  return points.map(([lat, lon]) => [lon, lat])
}

/** Is this an area, or may it be one? */
export const isArea = ({ shape, radius_m }: Stroke) => shape === 'polygon' || (shape === 'circle' && Boolean(radius_m))

/** Where the corners go, and the name of the drawing that they were taken from. */
export type Put = (corners: Corner[], name?: string) => void

/**
 * The field with `ref="first"` gets the cursor.
 *
 * @param workspace where the form is: the page goes back there when the place is drawn
 * @param fits which drawings may be taken
 * @param target asked when drawing begins, so that the corners go to the draft of then
 */
export function useDrawnPlace(workspace: string, fits: (stroke: Stroke) => boolean, target: () => Put) {
  const shell = useShell()
  const draw = drawingOf(useDesk())
  const first = useTemplateRef<HTMLInputElement>('first')
  onMounted(() => {
    void nextTick(() => first.value?.focus())
    void draw.readRows()
  })
  const drawn = computed(() =>
    draw.rows.value.flatMap((row) => {
      const stroke = strokeOfRow(row)
      return stroke && fits(stroke) ? [{ id: row.id, name: row.name, stroke }] : []
    }),
  )
  /** The drawing that the place was taken from, while it is the place; '' for none. */
  const taken = ref('')
  function takeDrawn(): void {
    const one = drawn.value.find(({ id }) => id === taken.value)
    if (one) target()(cornersOf(one.stroke), one.name)
  }
  function begin(tool: Tool): void {
    const put = target()
    shell.full.value = null
    if (shell.phone.value) shell.sheet.value = 'map'
    void draw.begin({
      tool,
      take: (stroke) => {
        put(cornersOf(stroke))
        taken.value = ''
        shell.open(workspace)
      },
    })
  }
  return { drawn, taken, takeDrawn, begin, cancel: () => draw.cancel() }
}
