/**
 * Fleet: moving vehicles as one layer of the map, drawn by the graphics card.
 *
 * Each vehicle glides from where it is seen to where it was last heard; the shader does it, so that a frame costs the
 * same for three vehicles and for thirty thousand. What was driven stays as faint dust: the roads draw themselves.
 */

import { MercatorCoordinate } from "/vendor/maplibre-gl/maplibre-gl.mjs";
import { classColour, severityColour } from "./colours.js";

const ORIGIN = MercatorCoordinate.fromLngLat({ lng: 88.6, lat: 44.2 });
const FLOATS = 10; // from x y, to x y, start, duration [s], class, severity, heading [rad], chosen
const DUST = 60_000;
const JUMP = 5e-4; // of the world: about 14 km here; a vehicle that far away is put there at once

const POINTS = `#version 300 es
precision highp float;
layout(location=0) in vec2 a_from; layout(location=1) in vec2 a_to; layout(location=2) in vec2 a_time;
layout(location=3) in vec4 a_look;
uniform mat4 u_matrix; uniform float u_now; uniform float u_size; uniform vec3 u_class[6]; uniform vec3 u_severity[5];
flat out vec3 v_colour; flat out vec3 v_ring; flat out vec4 v_look; flat out float v_px;
void main() {
  float t = a_time.y > 0.0 ? clamp((u_now - a_time.x) / a_time.y, 0.0, 1.0) : 1.0;
  gl_Position = u_matrix * vec4(mix(a_from, a_to, t), 0.0, 1.0);
  v_look = a_look; v_colour = u_class[int(a_look.x)]; v_ring = u_severity[int(a_look.y)];
  v_px = u_size * (a_look.y > 1.5 ? 4.6 : 3.0) * (a_look.w > 0.5 ? 1.25 : 1.0);
  gl_PointSize = v_px;
}`;
const POINT = `#version 300 es
precision highp float;
flat in vec3 v_colour; flat in vec3 v_ring; flat in vec4 v_look; flat in float v_px;
uniform float u_size; uniform float u_beat; out vec4 colour;
vec4 over(vec4 top, vec4 below) { return top + below * (1.0 - top.a); }
vec4 ink(vec3 c, float d, float a) { float k = clamp(0.5 - d, 0.0, 1.0) * a; return vec4(c * k, k); }
void main() {
  vec2 p = (gl_PointCoord - 0.5) * v_px;
  float c = cos(v_look.z), s = sin(v_look.z);
  vec2 q = vec2(c * p.x + s * p.y, -s * p.x + c * p.y);
  float body = length(q) - u_size * 0.62;
  float nose = max(abs(q.x) * 0.86 + (-q.y) * 0.5 - u_size * 0.62, q.y);
  vec4 all = ink(v_colour, min(body, nose), 1.0);
  all = over(all, ink(vec3(0.02, 0.04, 0.06), min(body, nose) - 1.0, 0.85));
  float r = length(p);
  if (v_look.y > 1.5) {
    float wide = u_size * 1.35;
    all = over(all, ink(v_ring, abs(r - wide) - u_size * 0.14, 1.0));
    if (v_look.y > 3.5) all = over(all, ink(v_ring, abs(r - u_size * (1.75 + 0.25 * u_beat)) - u_size * 0.09, 0.9 - 0.6 * u_beat));
    all = over(all, ink(v_ring, r - wide, 0.16));
  }
  if (v_look.w > 0.5) all = over(all, ink(vec3(1.0), abs(r - u_size * 1.05) - 1.0, 1.0));
  if (all.a < 0.01) discard;
  colour = all;
}`;
const GRAINS = `#version 300 es
precision highp float;
layout(location=0) in vec2 a_at; uniform mat4 u_matrix; uniform float u_px;
void main() { gl_Position = u_matrix * vec4(a_at, 0.0, 1.0); gl_PointSize = u_px; }`;
const GRAIN = `#version 300 es
precision mediump float; out vec4 colour; uniform float u_alpha;
void main() { float k = clamp(1.0 - 2.0 * length(gl_PointCoord - 0.5), 0.0, 1.0) * u_alpha; colour = vec4(vec3(0.42, 0.62, 0.78) * k, k); }`;

export const CLASSES = ["L", "C", "H", "B", "T", "F"];

/** A custom layer of MapLibre, and the vehicles in it. */
export class Fleet {
  id = "fleet";
  type = "custom";
  renderingMode = "2d";

  constructor() {
    this.vehicles = new Map(); // id to {row, ...what is known of it}
    this.rows = [];
    this.data = new Float32Array(FLOATS * 1024);
    this.dust = new Float32Array(2 * DUST);
    this.grains = 0;
    this.zero = performance.now();
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.chosen = null;
    this.dirty = this.dusty = true;
    this.until = 0;
  }

  onAdd(map, gl) {
    this.map = map;
    this.program = linked(gl, POINTS, POINT);
    this.grainProgram = linked(gl, GRAINS, GRAIN);
    this.place = places(gl, this.program, ["u_matrix", "u_now", "u_size", "u_class", "u_severity", "u_beat"]);
    this.grainPlace = places(gl, this.grainProgram, ["u_matrix", "u_px", "u_alpha"]);
    this.buffer = gl.createBuffer();
    this.dustBuffer = gl.createBuffer();
    this.array = gl.createVertexArray();
    this.dustArray = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    for (const [place, size, offset] of [[0, 2, 0], [1, 2, 2], [2, 2, 4], [3, 4, 6]]) {
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 4 * FLOATS, 4 * offset);
    }
    gl.bindVertexArray(this.dustArray);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.dustBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.dust.byteLength, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 8, 0);
    gl.bindVertexArray(null);
    this.dirty = this.dusty = true;
  }

  onRemove() { this.map = null; }

  /** Seconds since this layer was made. */
  now() { return (performance.now() - this.zero) / 1000; }

  /** Take what was heard of some vehicles: {id, class, lon, lat, heading, severity, time_ms, ...}. */
  hear(vehicles) {
    const now = this.now();
    for (const one of vehicles) {
      const known = this.vehicles.get(one.id);
      const at = MercatorCoordinate.fromLngLat({ lng: one.lon, lat: one.lat });
      const to = [at.x - ORIGIN.x, at.y - ORIGIN.y];
      if (known) this.move(known, one, to, now);
      else this.add(one, to, now);
    }
    this.dirty = true;
    this.map?.triggerRepaint();
  }

  /** Take the vehicles as they are now, all of them: others are gone. */
  reset(vehicles) {
    const heard = new Set(vehicles.map((one) => one.id));
    const kept = [...this.vehicles.values()].filter((one) => heard.has(one.id));
    if (kept.length < this.vehicles.size) {
      this.vehicles.clear();
      this.rows = [];
      this.dirty = true;
    }
    this.hear(vehicles);
  }

  add(one, to, now) {
    const row = this.rows.length;
    if ((row + 1) * FLOATS > this.data.length) {
      const wider = new Float32Array(2 * this.data.length);
      wider.set(this.data);
      this.data = wider;
    }
    const kept = { ...one, row, heard: now };
    this.vehicles.set(one.id, kept);
    this.rows.push(kept);
    this.data.set([...to, ...to, now, 0], row * FLOATS);
    this.look(kept);
  }

  move(known, one, to, now) {
    const at = known.row * FLOATS;
    const moved = known.time_ms !== one.time_ms;
    Object.assign(known, one);
    this.look(known);
    if (!moved) return;
    const from = this.seen(known.row, now);
    const far = Math.hypot(to[0] - from[0], to[1] - from[1]) > JUMP || this.still;
    const lasting = far ? 0 : Math.min(15, Math.max(1.1, 1.1 * (now - known.heard)));
    this.data.set([...(far ? to : from), ...to, now, lasting], at);
    known.heard = now;
    this.until = Math.max(this.until, now + lasting);
    const grain = 2 * (this.grains++ % DUST);
    this.dust.set(to, grain);
    this.dusty = true;
  }

  look(vehicle) {
    this.data.set([
      Math.max(0, CLASSES.indexOf(vehicle.class)), vehicle.severity ?? 0,
      ((vehicle.heading ?? 0) * Math.PI) / 180, vehicle.id === this.chosen ? 1 : 0,
    ], vehicle.row * FLOATS + 6);
  }

  /** Where the vehicle of a row is seen now, from the origin. */
  seen(row, now = this.now()) {
    const [fx, fy, tx, ty, start, lasting] = this.data.subarray(row * FLOATS, row * FLOATS + 6);
    const part = lasting > 0 ? Math.min(1, Math.max(0, (now - start) / lasting)) : 1;
    return [fx + (tx - fx) * part, fy + (ty - fy) * part];
  }

  /** Longitude and latitude where a vehicle is seen now. */
  place_of(vehicle) {
    const [x, y] = this.seen(vehicle.row);
    return new MercatorCoordinate(x + ORIGIN.x, y + ORIGIN.y).toLngLat();
  }

  /** The vehicle that is seen nearest to a point of the screen, within so many pixels. */
  nearest(point, within = 14) {
    let found = null;
    let least = within;
    for (const one of this.rows) {
      const at = this.map.project(this.place_of(one));
      const away = Math.hypot(at.x - point.x, at.y - point.y) - (one.severity > 1 ? 4 : 0);
      if (away < least) [found, least] = [one, away];
    }
    return found;
  }

  choose(id) {
    this.chosen = id;
    for (const one of this.rows) this.look(one);
    this.dirty = true;
    this.map?.triggerRepaint();
  }

  render(gl, input) {
    const matrix = moved(input.defaultProjectionData.mainMatrix, ORIGIN);
    const zoom = this.map.getZoom();
    const ratio = devicePixelRatio;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    this.renderDust(gl, matrix, zoom, ratio);
    gl.useProgram(this.program);
    gl.bindVertexArray(this.array);
    if (this.dirty) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.data, gl.DYNAMIC_DRAW);
      this.dirty = false;
    }
    const now = this.now();
    gl.uniformMatrix4fv(this.place.u_matrix, false, matrix);
    gl.uniform1f(this.place.u_now, now);
    gl.uniform1f(this.place.u_size, ratio * Math.min(9, Math.max(4.8, zoom - 2.6)));
    gl.uniform1f(this.place.u_beat, this.still ? 0 : (now * 0.8) % 1);
    gl.uniform3fv(this.place.u_class, CLASSES.flatMap((one) => triple(classColour(one))));
    gl.uniform3fv(this.place.u_severity, [0, 1, 2, 3, 4].flatMap((one) => triple(severityColour(one))));
    gl.drawArrays(gl.POINTS, 0, this.rows.length);
    gl.bindVertexArray(null);
    const beating = !this.still && this.rows.some((one) => one.severity > 3);
    if (now < this.until || beating) this.map.triggerRepaint();
  }

  renderDust(gl, matrix, zoom, ratio) {
    gl.useProgram(this.grainProgram);
    gl.bindVertexArray(this.dustArray);
    if (this.dusty) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.dustBuffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.dust, 0, 2 * Math.min(this.grains, DUST));
      this.dusty = false;
    }
    gl.uniformMatrix4fv(this.grainPlace.u_matrix, false, matrix);
    gl.uniform1f(this.grainPlace.u_px, ratio * Math.min(4, Math.max(2, zoom - 5.5)));
    gl.uniform1f(this.grainPlace.u_alpha, 0.5);
    gl.drawArrays(gl.POINTS, 0, Math.min(this.grains, DUST));
  }
}

function triple(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

/** A matrix that takes points counted from an origin; multiplied in double precision, so that nothing trembles. */
function moved(matrix, { x, y }) {
  const m = Array.from(matrix);
  for (let row = 0; row < 4; row++) m[12 + row] += m[row] * x + m[4 + row] * y;
  return new Float32Array(m);
}

function linked(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}

function places(gl, program, names) {
  return Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
}
