from django.shortcuts import render


def listed(request):
    return render(request, "orders/list.html")
