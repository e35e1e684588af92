/**
 * Thousands of moving symbols in one draw call: a MapLibre custom layer.
 *
 * Places are mercator hi/lo pairs relative to the map's centre, so they are exact at every zoom;
 * sizes are CSS pixels, so they are right at every pixel ratio; each visible copy of the world
 * gets its own call. Nothing here owns the truth: after a style change or a lost WebGL context a
 * new layer is made from the same batch and atlas.
 */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl'
import type { Atlas } from './atlas'
import { STRIDE_BYTES, SUBPIXEL, type SpriteBatch } from './batch'
import { mercatorX, mercatorY } from './mercator'

const VERTEX = `#version 300 es
precision highp float;
in vec2 corner; in vec4 place; in vec4 cell; in vec2 offset; in vec2 size; in float opacity;
uniform mat4 matrix; uniform vec4 centre; uniform vec2 viewport; uniform float ratio, snap;
out vec2 uv; out float alpha;
void main() {
  vec2 from_centre = (place.xy - centre.xy) + (place.zw - centre.zw);
  vec4 clip = matrix * vec4(from_centre, 0.0, 1.0);
  vec2 screen = (clip.xy / clip.w * vec2(0.5, -0.5) + 0.5) * viewport;
  screen += offset / ${SUBPIXEL}.0;
  // On whole device pixels the symbols are crisp; while the map moves that would tremble.
  if (snap > 0.5) screen = floor(screen * ratio + 0.5) / ratio;
  screen += corner * size / ${SUBPIXEL}.0;
  clip.xy = (screen / viewport - 0.5) * vec2(2.0, -2.0) * clip.w;
  gl_Position = clip;
  uv = mix(cell.xy, cell.zw, corner);
  alpha = opacity;
}`

const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 uv; in float alpha; uniform sampler2D atlas; out vec4 colour;
void main() {
  colour = texture(atlas, uv) * alpha;
  if (colour.a < 0.004) discard;
}`

function compile(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const shader = gl.createShader(type)!
  gl.shaderSource(shader, source)
  gl.compileShader(shader)
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
    throw new Error(`sprite shader: ${gl.getShaderInfoLog(shader) ?? 'no log'}`)
  }
  return shader
}

const ATTRIBUTES = ['corner', 'place', 'cell', 'offset', 'size', 'opacity'] as const
const UNIFORMS = ['matrix', 'centre', 'viewport', 'ratio', 'snap', 'atlas'] as const

export class SpriteLayer implements CustomLayerInterface {
  readonly type = 'custom' as const
  readonly renderingMode = '2d' as const
  private map: MapLibre | null = null
  private program: WebGLProgram | null = null
  private vertices: WebGLVertexArrayObject | null = null
  private instances: WebGLBuffer | null = null
  private instance_bytes = 0
  private texture: WebGLTexture | null = null
  private atlas_version = -1
  private dirty = true
  private uniforms: Record<string, WebGLUniformLocation | null> = {}

  constructor(
    readonly id: string,
    private readonly batch: SpriteBatch,
    private readonly atlas: Atlas,
  ) {}

  /** The batch changed; it is uploaded before the next frame. */
  touch(): void {
    this.dirty = true
    this.map?.triggerRepaint()
  }

  onAdd(map: MapLibre, context: WebGLRenderingContext | WebGL2RenderingContext): void {
    const gl = context as WebGL2RenderingContext
    this.map = map
    const program = (this.program = gl.createProgram())
    gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX))
    gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT))
    ATTRIBUTES.forEach((name, slot) => gl.bindAttribLocation(program, slot, name))
    gl.linkProgram(program)
    for (const name of UNIFORMS) this.uniforms[name] = gl.getUniformLocation(program, name)

    this.vertices = gl.createVertexArray()
    gl.bindVertexArray(this.vertices)
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer())
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW)
    gl.enableVertexAttribArray(0)
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0)
    this.instances = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, this.instances)
    const columns: [number, number, boolean, number][] = [
      [4, gl.FLOAT, false, 0],
      [4, gl.UNSIGNED_SHORT, true, 16],
      [2, gl.SHORT, false, 24],
      [2, gl.UNSIGNED_SHORT, false, 28],
      [1, gl.FLOAT, false, 32],
    ]
    columns.forEach(([width, type, normalised, at], column) => {
      gl.enableVertexAttribArray(column + 1)
      gl.vertexAttribPointer(column + 1, width, type, normalised, STRIDE_BYTES, at)
      gl.vertexAttribDivisor(column + 1, 1)
    })
    gl.bindVertexArray(null)

    this.texture = gl.createTexture()
    this.atlas_version = -1
    this.instance_bytes = 0
    this.dirty = true
  }

  onRemove(_map: MapLibre, context: WebGLRenderingContext | WebGL2RenderingContext): void {
    const gl = context as WebGL2RenderingContext
    gl.deleteProgram(this.program)
    gl.deleteVertexArray(this.vertices)
    gl.deleteBuffer(this.instances)
    gl.deleteTexture(this.texture)
    this.map = null
  }

  private upload(gl: WebGL2RenderingContext): void {
    if (this.atlas_version !== this.atlas.version) {
      gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false)
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true)
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, this.atlas.canvas)
      for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
        gl.texParameteri(gl.TEXTURE_2D, name, gl.LINEAR)
      }
      for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
        gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE)
      }
      this.atlas_version = this.atlas.version
    }
    if (this.dirty) {
      const bytes = this.batch.bytes()
      gl.bindBuffer(gl.ARRAY_BUFFER, this.instances)
      if (bytes.byteLength > this.instance_bytes) {
        this.instance_bytes = Math.max(bytes.byteLength * 2, 65_536)
        gl.bufferData(gl.ARRAY_BUFFER, this.instance_bytes, gl.DYNAMIC_DRAW)
      }
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, bytes)
      this.dirty = false
    }
  }

  render(
    context: WebGLRenderingContext | WebGL2RenderingContext,
    frame: CustomRenderMethodInput,
  ): void {
    const gl = context as WebGL2RenderingContext
    const map = this.map
    if (!map || !this.program || this.batch.count === 0) return
    gl.useProgram(this.program)
    gl.bindVertexArray(this.vertices)
    gl.activeTexture(gl.TEXTURE0)
    gl.bindTexture(gl.TEXTURE_2D, this.texture)
    this.upload(gl)

    const canvas = map.getCanvas()
    const centre = map.getCenter()
    const x = mercatorX(centre.lng)
    const y = mercatorY(centre.lat)
    // Places are stored in the world copy 0; the centre may be in another one.
    const home = Math.floor(x)
    const hi = [Math.fround(x - home), Math.fround(y)]
    gl.uniform4f(this.uniforms.centre, hi[0], hi[1], x - home - hi[0], y - hi[1])
    gl.uniform2f(this.uniforms.viewport, canvas.clientWidth, canvas.clientHeight)
    gl.uniform1f(this.uniforms.ratio, canvas.width / Math.max(1, canvas.clientWidth))
    gl.uniform1f(this.uniforms.snap, map.isMoving() ? 0 : 1)
    gl.uniform1i(this.uniforms.atlas, 0)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.disable(gl.DEPTH_TEST)

    const world = frame.defaultProjectionData.mainMatrix
    const matrix = new Float32Array(16)
    const bounds = map.getBounds()
    const first = Math.floor(mercatorX(bounds.getWest()))
    const last = Math.floor(mercatorX(bounds.getEast()))
    for (let copy = Math.max(first, home - 3); copy <= Math.min(last, home + 3); copy++) {
      // matrix * translate(centre + copy), summed in doubles before it becomes floats.
      const shift = x + (copy - home)
      for (let i = 0; i < 12; i++) matrix[i] = world[i]
      for (let i = 0; i < 4; i++) matrix[12 + i] = world[i] * shift + world[4 + i] * y + world[12 + i]
      gl.uniformMatrix4fv(this.uniforms.matrix, false, matrix)
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.batch.count)
    }
    gl.bindVertexArray(null)
  }
}
