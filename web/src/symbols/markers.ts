/** The kinds of marker that the page can place: symbol code and CoT type side by side. */

export const MARKER_KINDS = {
  waypoint: { sidc: '13032500001318000000', type: 'b-m-p-w', affiliation: 'friend' },
  point: { sidc: '13032500001313000000', type: 'b-m-p-s-m', affiliation: 'friend' },
  friend: { sidc: '13031000000000000000', type: 'a-f-G', affiliation: 'friend' },
  hostile: { sidc: '13061000000000000000', type: 'a-h-G', affiliation: 'hostile' },
  neutral: { sidc: '13041000000000000000', type: 'a-n-G', affiliation: 'neutral' },
  unknown: { sidc: '13011000000000000000', type: 'a-u-G', affiliation: 'unknown' },
} as const
export type MarkerKind = keyof typeof MARKER_KINDS
