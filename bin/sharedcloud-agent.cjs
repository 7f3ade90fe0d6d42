#!/usr/bin/env node
'use strict';
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access
   -- plain JavaScript has no types */

// Old syntax, so that old versions of Node.js print this message instead of a syntax error.
var fs = require('fs');
var path = require('path');

var MINIMUM = 24;

if (Number(process.versions.node.split('.')[0]) < MINIMUM) {
  process.stderr.write(
    'sharedcloud-agent needs Node.js ' +
      MINIMUM +
      ' or newer, this is ' +
      process.version +
      '.\n' +
      '  hint: install it from https://nodejs.org; in a checkout, `npm run -s agent -- COMMAND` brings its own\n',
  );
  process.exitCode = 2;
} else {
  // A checkout runs its sources, a package its build.
  var sources = path.join(__dirname, '..', 'src', 'main.ts');
  require(fs.existsSync(sources) ? sources : path.join(__dirname, '..', 'dist', 'main.js'));
}
