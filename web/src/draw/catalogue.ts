/**
 * Tactical graphics that can be drawn here, by their entity code in symbol set 25 of APP-6(D):
 * control of movement and coordination, nothing of weapons, targets or fires.
 */
import { fold } from '../geo/fold'

export interface Graphic {
  /** Six digits of the entity. */
  code: string
  /** A catalogue key below `draw.graphic`. */
  name: string
  shape: 'line' | 'polygon' | 'point'
  /** The renderer wants the tip first and a last point for the width. */
  axis?: true
}

export const GRAPHICS: readonly Graphic[] = [
  { code: '140300', name: 'phaseLine', shape: 'line' },
  { code: '110100', name: 'boundary', shape: 'line' },
  { code: '150200', name: 'assemblyArea', shape: 'polygon' },
  { code: '120100', name: 'areaOfOperations', shape: 'polygon' },
  { code: '120200', name: 'namedArea', shape: 'polygon' },
  { code: '150800', name: 'landingZone', shape: 'polygon' },
  { code: '330300', name: 'mainRoute', shape: 'line' },
  { code: '330400', name: 'alternateRoute', shape: 'line' },
  { code: '330301', name: 'oneWayRoute', shape: 'line' },
  { code: '330302', name: 'twoWayRoute', shape: 'line' },
  { code: '151404', name: 'axis', shape: 'line', axis: true },
  { code: '140900', name: 'limitOfAdvance', shape: 'line' },
  { code: '141000', name: 'lineOfDeparture', shape: 'line' },
  { code: '130300', name: 'checkpoint', shape: 'point' },
  { code: '131100', name: 'linkupPoint', shape: 'point' },
  { code: '131400', name: 'rallyPoint', shape: 'point' },
  { code: '131500', name: 'releasePoint', shape: 'point' },
  { code: '131600', name: 'startPoint', shape: 'point' },
  { code: '140100', name: 'forwardTroops', shape: 'line' },
  { code: '140200', name: 'lineOfContact', shape: 'line' },
  { code: '140400', name: 'forwardEdge', shape: 'line' },
  { code: '141400', name: 'bridgeheadLine', shape: 'line' },
  { code: '141500', name: 'holdingLine', shape: 'line' },
  { code: '141600', name: 'releaseLine', shape: 'line' },
  { code: '150600', name: 'dropZone', shape: 'polygon' },
  { code: '150700', name: 'extractionZone', shape: 'polygon' },
  { code: '150900', name: 'pickupZone', shape: 'polygon' },
  { code: '120400', name: 'airfieldZone', shape: 'polygon' },
  { code: '120500', name: 'baseCamp', shape: 'polygon' },
  { code: '270200', name: 'obstacleZone', shape: 'polygon' },
  { code: '130500', name: 'contactPoint', shape: 'point' },
  { code: '130600', name: 'coordinatingPoint', shape: 'point' },
  { code: '130700', name: 'decisionPoint', shape: 'point' },
  { code: '131200', name: 'passagePoint', shape: 'point' },
  { code: '131300', name: 'pointOfInterest', shape: 'point' },
  { code: '131800', name: 'waypoint', shape: 'point' },
  { code: '180100', name: 'airControlPoint', shape: 'point' },
]
const BY_CODE = new Map(GRAPHICS.map((one) => [one.code, one]))

/** Twenty digits of a friendly, present graphic. */
export const sidcOf = (code: string) => `1003250000${code}0000`

/** The graphic of a symbol code; undefined for plain shapes and whatever is not in the catalogue. */
export function graphicOf(sidc: string): Graphic | undefined {
  return sidc.slice(4, 6) === '25' ? BY_CODE.get(sidc.slice(10, 16)) : undefined
}

const wordsOf = (text: string) => fold(text).split(/[\s'’,()-]+/)

/** Those of which every typed word begins a word of the name, or whose code begins with the text. */
export function matching(text: string, nameOf: (one: Graphic) => string): Graphic[] {
  const typed = wordsOf(text).filter(Boolean)
  return GRAPHICS.filter((one) => {
    const words = wordsOf(nameOf(one))
    return typed.every((part) => one.code.startsWith(part) || words.some((word) => word.startsWith(part)))
  })
}
