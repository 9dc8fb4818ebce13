import unittest

from packs import reports


class T(unittest.TestCase):
    def test(self):
        self.assertEqual(reports.lambda_handler({}, None), "chart-thing")
