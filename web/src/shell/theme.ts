/** The page's looks: dark for rooms, day for daylight, night for eyes that must stay used to the dark. */

export const THEMES = ['dark', 'day', 'night'] as const
export type Theme = (typeof THEMES)[number]

/** The stored choice; else day where the machine asks for light, else dark. */
export function firstTheme(stored: string | null, light: boolean): Theme {
  if (THEMES.includes(stored as Theme)) return stored as Theme
  return light ? 'day' : 'dark'
}
