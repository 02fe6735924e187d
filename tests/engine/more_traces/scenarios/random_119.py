"""Random program 119."""

STEPS = [{'run': 'up',
  'v': {'resources': [{'name': 'a', 'type': 'Provider', 'in': {}},
                      {'name': 'b', 'type': 'Thing', 'in': {'note': {'$secret': 'hush'}}, 'provider': 'a'},
                      {'name': 'c',
                       'type': 'Named',
                       'in': {'deep': True,
                              'list': {'$secret': {'$out': ['b', 'serial']}},
                              'size': {'$secret': {'x': 1}}},
                       'depends_on': ['b']}],
        'exports': {'two': None}}},
 {'run': 'preview',
  'v': {'resources': [{'name': 'a', 'type': 'Provider', 'in': {}},
                      {'name': 'b',
                       'type': 'Other',
                       'in': {'note': {'$secret': 'hush'}},
                       'provider': 'a',
                       'aliases': [{'type_': 'Thing'}]},
                      {'name': 'd',
                       'type': 'Named',
                       'in': {'deep': True,
                              'list': {'$secret': {'$out': ['b', 'serial']}},
                              'size': {'$secret': {'x': 1}}},
                       'depends_on': ['b'],
                       'aliases': [{'name': 'c'}]}],
        'exports': {'two': None}}},
 {'run': 'up',
  'v': {'resources': [{'name': 'a', 'type': 'Provider', 'in': {}},
                      {'name': 'b',
                       'type': 'Other',
                       'in': {'note': {'$secret': 'hush'}},
                       'provider': 'a',
                       'aliases': [{'type_': 'Thing'}]},
                      {'name': 'd',
                       'type': 'Named',
                       'in': {'deep': True,
                              'list': {'$secret': {'$out': ['b', 'serial']}},
                              'size': {'$secret': {'x': 1}}},
                       'depends_on': ['b'],
                       'aliases': [{'name': 'c'}]}],
        'exports': {'two': None}}}]


def program(v):
    from declared import declare

    declare(v)
