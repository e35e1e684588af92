/** What the map is asked to show: which part of the world, what is looked at, in which colours. */

export interface SceneView {
  /** Mercator bounds of the screen; x may lie outside 0..1 on other world copies. */
  west: number
  north: number
  east: number
  south: number
  width_px: number
  height_px: number
  zoom: number
  /** Parts of the screen under something else (left, top, width, height): no label goes there. */
  covered: [number, number, number, number][]
}

export interface SceneFocus {
  selected: number | null
  hovered: number | null
}

export interface SceneTheme {
  label: string
  plate: string
  accent: string
  alarm: string
  /** Text on accent and alarm. */
  on_tone: string
  /** Symbols are dimmed, for eyes that must stay used to the dark. */
  dim?: boolean
}
