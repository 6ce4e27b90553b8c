"use strict";
/* The accounts of the coverage map: unpacks what webui/presenting/coverage_map.py sends, and knows the state of each on
   any day, by the rule of planner/coverage/standing.py. */
fieldvisit.covered = (() => {
  const STATES = ["overdue", "due", "visited", "dormant"];
  const [OVERDUE, DUE, VISITED, DORMANT] = STATES.keys();
  const UNKNOWN = 255; // it was visited, but whether before that day is not known

  function unpacked(told) {
    const number = told.states.length;
    const lats = new Float64Array(number), lons = new Float64Array(number);
    let lat = 0, lon = 0, from = 0;
    const met = new Array(number); // days on which somebody met or will meet the customer, since as_of, the latest first
    const ever = new Uint8Array(number);
    for (let place = 0; place < number; place++) {
      lats[place] = (lat += told.lats[place]) / 1e5;
      lons[place] = (lon += told.lons[place]) / 1e5;
      [met[place], from] = counted(told.visits, from);
      for (let at = 0; at < met[place].length; at++) met[place][at] = -met[place][at];
      ever[place] = met[place].length ? 1 : 0;
    }
    for (from = 0; from < told.planned.length;) {
      const place = told.planned[from];
      let days;
      [days, from] = counted(told.planned, from + 1);
      met[place] = [...days.reverse(), ...met[place]];
    }
    const now = Uint8Array.from(told.states, Number);

    /* The state of every account at the end of a day that is so many days from today's. */
    function statesOn(day) {
      if (day === 0) return now; // as the report has it: what is planned for today is not done yet
      return now.map((state, place) => {
        if (state === DORMANT) return state;
        const last = met[place].find((at) => at <= day);
        if (last === undefined) return ever[place] ? UNKNOWN : DUE;
        const cadence = told.cadences[place];
        const since = day - last - cadence;
        return since < 0 ? VISITED : 4 * since >= cadence ? OVERDUE : DUE;
      });
    }

    return { ...told, number, lats, lons, statesOn };
  }

  /* The numbers that begin with how many there are and are told as steps, and where the next ones begin. */
  function counted(numbers, from) {
    const found = new Array(numbers[from]);
    let sum = 0;
    for (let at = 0; at < found.length; at++) found[at] = sum += numbers[from + 1 + at];
    return [found, from + 1 + found.length];
  }

  return { unpacked, STATES, UNKNOWN };
})();
