import unittest


class HandlerTest(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(1 + 1, 2)
