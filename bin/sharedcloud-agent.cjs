#!/usr/bin/env node
'use strict';
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access
   -- plain JavaScript has no types */

// Written for very old versions of Node.js too, so that they can say what is wrong instead of a syntax error.
var fs = require('fs');
var path = require('path');

var LEAST = 24;

if (Number(process.versions.node.split('.')[0]) < LEAST) {
  process.stderr.write(
    'sharedcloud-agent needs Node.js ' +
      LEAST +
      ' or newer, this is ' +
      process.version +
      '.\n' +
      '  hint: install it from https://nodejs.org; in a checkout, `npm run -s agent -- COMMAND` brings its own\n',
  );
  process.exitCode = 2;
} else {
  // A checkout runs from its sources, a package from what was built.
  var sources = path.join(__dirname, '..', 'src', 'main.ts');
  require(fs.existsSync(sources) ? sources : path.join(__dirname, '..', 'dist', 'main.js'));
}
