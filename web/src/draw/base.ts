/** Parts of the base map that can be switched, and the map's own layers that they are. */
export const BASE_PARTS = {
  hillshade: ['hillshade', 'relief-mask'],
  borders: ['border', 'admin1'],
  water: ['river'],
  names: ['country', 'place'],
} as const
export type BasePart = keyof typeof BASE_PARTS
