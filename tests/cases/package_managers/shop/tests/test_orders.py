import unittest

import test_helper

from packs import orders


class T(unittest.TestCase):
    def test(self):
        self.assertEqual(test_helper.status(orders.lambda_handler({}, None)), 200)
